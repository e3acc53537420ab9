package cluster

import (
	"net/netip"
	"reflect"
	"testing"
)

// A comparison that forgets a field hides changes, so this test changes each exported field
// of the model.
func TestEveryFieldCounts(t *testing.T) {
	identity := func(e *Identity) *Slice {
		return &Slice{Endpoints: PackEndpoints([]Endpoint{{Identity: e}})}
	}
	t.Run("Service", func(t *testing.T) { everyField(t, (*Service).Same) })
	t.Run("Slice", func(t *testing.T) { everyField(t, (*Slice).Same) })
	t.Run("Pod", func(t *testing.T) {
		everyField(t, func(a, b *Pod) bool { return profiled(a).Same(profiled(b)) })
	})
	t.Run("Profile", func(t *testing.T) { everyField(t, sameProfile) })
	t.Run("Resolver", func(t *testing.T) { everyField(t, sameResolver) })
	t.Run("Identity", func(t *testing.T) {
		everyField(t, func(a, b *Identity) bool { return identity(a).Same(identity(b)) })
	})
	t.Run("Endpoint", func(t *testing.T) {
		everyField(t, func(a, b *Endpoint) bool {
			one, other := PackEndpoints([]Endpoint{*a}), PackEndpoints([]Endpoint{*b})
			return one.same(&other)
		})
	})
}

// profiled returns a Pod with a profile, which every Pod must have.
func profiled(p *Pod) *Pod {
	c := *p
	if c.Profile == nil {
		c.Profile = new(Profile)
	}
	return &c
}

func everyField[T any](t *testing.T, same func(a, b *T) bool) {
	if !same(new(T), new(T)) {
		t.Error("two empty ones differ")
	}
	kind := reflect.TypeFor[T]()
	for i := range kind.NumField() {
		if !kind.Field(i).IsExported() {
			continue
		}
		changed := new(T)
		reflect.ValueOf(changed).Elem().Field(i).Set(something(kind.Field(i).Type))
		if same(new(T), changed) || same(changed, new(T)) {
			t.Errorf("a change of %s makes no difference", kind.Field(i).Name)
		}
		if !same(changed, changed) {
			t.Errorf("one with %s differs from itself", kind.Field(i).Name)
		}
	}
}

// something returns a value that is not the zero value of the type.
func something(t reflect.Type) reflect.Value {
	if t == reflect.TypeFor[netip.Addr]() {
		return reflect.ValueOf(netip.IPv4Unspecified())
	}
	if t == reflect.TypeFor[Endpoints]() {
		return reflect.ValueOf(PackEndpoints(make([]Endpoint, 1)))
	}
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(reflect.Zero(t.Key()), reflect.Zero(t.Elem()))
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Field(0).Set(something(t.Elem().Field(0).Type))
	case reflect.Struct:
		v.Field(0).Set(something(t.Field(0).Type))
	}
	return v
}
