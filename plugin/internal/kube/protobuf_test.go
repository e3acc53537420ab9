package kube

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/randfill"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// slimKind is a kind with a decoder of our own. Its settings ask for all that can
// be asked for.
type slimKind struct {
	name    string
	decode  decoder
	empty   func() message
	convert func(obj any) any
}

// message is an object that Kubernetes decodes from protobuf.
type message interface {
	runtime.Object
	metav1.Object
	Marshal() ([]byte, error)
	Unmarshal(data []byte) error
}

func slimKinds() []slimKind {
	cfg := Config{Pods: true, PodNames: true, PodLabels: true, TopologyZones: true}
	c := newConverter(cfg)
	return []slimKind{
		{"Namespace", decodeNamespace, func() message { return new(corev1.Namespace) }, func(o any) any { return convertNamespace(o.(*corev1.Namespace)) }},
		{"Service", decodeService, func() message { return new(corev1.Service) }, func(o any) any { return c.Service(o.(*corev1.Service)) }},
		{"Pod", podDecoder(cfg), func() message { return new(corev1.Pod) }, func(o any) any { return c.Pod(o.(*corev1.Pod)) }},
		{"EndpointSlice", sliceDecoder(cfg), func() message { return new(discoveryv1.EndpointSlice) }, func(o any) any {
			s := o.(*discoveryv1.EndpointSlice)
			return []any{c.Slice(s), c.ImportedSlice(s)}
		}},
	}
}

// check says whether a message means the same to our decoder and to Kubernetes',
// if both can read it. Each knows other ways in which one can be wrong.
func (k slimKind) check(t *testing.T, data []byte) error {
	t.Helper()
	whole := k.empty()
	got, err := k.decode(data)
	if err = errors.Join(err, whole.Unmarshal(data)); err != nil {
		return err
	}
	if g, w := k.convert(got), k.convert(whole); !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n%+v, want\n%+v", k.name, g, w)
	}
	slim := got.(message)
	if convert.KeyOf(slim) != convert.KeyOf(whole) || slim.GetResourceVersion() != whole.GetResourceVersion() {
		t.Errorf("%s: %v version %s", k.name, convert.KeyOf(slim), slim.GetResourceVersion())
	}
	if !triggerTime(slim).Equal(triggerTime(whole)) {
		t.Errorf("%s: date %s, want %s", k.name, triggerTime(slim), triggerTime(whole))
	}
	return nil
}

// filler fills in every field of an object by chance, those that DNS reads with
// values that it can read.
func filler(seed int64) *randfill.Filler {
	pick := func(c randfill.Continue, list ...string) string { return list[c.Intn(len(list))] }
	addr := func(c randfill.Continue) string { return pick(c, "10.0.0.1", "10.1.2.3", "fd00::1", "none", "") }
	several := func(c randfill.Continue) (list []string) {
		for range c.Intn(3) {
			list = append(list, addr(c))
		}
		return list
	}
	custom := func(serializer.CodecFactory) []any {
		return []any{
			func(m *metav1.ObjectMeta, c randfill.Continue) {
				c.FillNoCustom(m)
				m.Labels = map[string]string{discoveryv1.LabelServiceName: "web", convert.LabelServiceImport: "db", convert.LabelSourceCluster: "east", c.String(5): c.String(5)}
				m.Annotations = map[string]string{corev1.EndpointsLastChangeTriggerTime: "2026-01-01T00:00:00Z", c.String(5): c.String(5)}
			},
			func(s *corev1.ServiceSpec, c randfill.Continue) {
				c.FillNoCustom(s)
				s.ClusterIP, s.ClusterIPs, s.ExternalIPs = addr(c), several(c), several(c)
				s.Type = corev1.ServiceType(pick(c, "ClusterIP", "LoadBalancer", "ExternalName"))
				s.ExternalName = pick(c, "example.com", "10.0.0.1", "")
			},
			func(i *corev1.LoadBalancerIngress, c randfill.Continue) {
				c.FillNoCustom(i)
				i.IP, i.Hostname = addr(c), pick(c, "lb.example.com", "")
			},
			func(s *corev1.PodStatus, c randfill.Continue) {
				c.FillNoCustom(s)
				s.Phase = corev1.PodPhase(pick(c, "Running", "Running", "Pending", "Failed"))
				s.PodIP, s.PodIPs = addr(c), []corev1.PodIP{{IP: addr(c)}, {IP: addr(c)}}[:c.Intn(3)]
			},
			func(o *corev1.PodDNSConfigOption, c randfill.Continue) {
				*o = corev1.PodDNSConfigOption{Name: pick(c, "ndots", "timeout")}
				if c.Bool() {
					o.Value = new(pick(c, "2", "5", "many"))
				}
			},
			func(e *discoveryv1.Endpoint, c randfill.Continue) {
				c.FillNoCustom(e)
				e.Addresses = several(c)
			},
			func(r *corev1.ObjectReference, c randfill.Continue) {
				c.FillNoCustom(r)
				r.Kind = pick(c, "Pod", "Node")
			},
			func(p *corev1.Protocol, c randfill.Continue) { *p = corev1.Protocol(pick(c, "TCP", "UDP", "")) },
		}
	}
	return fuzzer.FuzzerFor(fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, custom), rand.NewSource(seed), serializer.NewCodecFactory(newScheme()))
}

// What our decoders leave out, the converters do not miss.
func TestSlimDecoders(t *testing.T) {
	for _, k := range slimKinds() {
		fill := filler(1)
		for range 500 {
			obj := k.empty()
			fill.Fill(obj)
			data, err := obj.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if err := k.check(t, data); err != nil {
				t.Fatalf("%s: %v\n%x", k.name, err, data)
			}
		}
	}
}

func FuzzSlimDecoders(f *testing.F) {
	kinds := slimKinds()
	for i, k := range kinds {
		fill := filler(int64(i))
		for range 3 {
			obj := k.empty()
			fill.Fill(obj)
			data, err := obj.Marshal()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) { _ = kinds[int(kind)%len(kinds)].check(t, data) })
}

// The decoders of Kubernetes are asked for what is no object of the kind.
func TestSlimSerializer(t *testing.T) {
	_, feeds, _ := newTestOwner(Config{})
	kind := corev1.SchemeGroupVersion.WithKind("Service")
	c := slimCodecs{codecs, kind, feeds[0].decode}
	info, _ := runtime.SerializerInfoForMediaType(c.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	decode := func(obj runtime.Object, into runtime.Object) runtime.Object {
		t.Helper()
		got, _, err := info.Serializer.Decode(encode(runtime.ContentTypeProtobuf, obj), nil, into)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	service := serviceObject("web", "10.0.0.1")
	service.Labels = map[string]string{"app": "web"}
	service.SetGroupVersionKind(kind)
	if got := decode(service, nil).(*corev1.Service); got.Labels != nil || got.Spec.ClusterIP != "10.0.0.1" {
		t.Errorf("%+v", got)
	}
	if got := decode(service, new(corev1.Service)).(*corev1.Service); got.Labels == nil {
		t.Error("a caller's own object is not whole")
	}
	status := &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Message: "no"}
	if got := decode(status, nil).(*metav1.Status); got.Message != "no" {
		t.Errorf("%+v", got)
	}
}

func TestSlimSerializerErrors(t *testing.T) {
	_, feeds, _ := newTestOwner(Config{})
	kind := corev1.SchemeGroupVersion.WithKind("Service")
	info, _ := runtime.SerializerInfoForMediaType(slimCodecs{codecs, kind, feeds[0].decode}.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	service := serviceObject("web", "10.0.0.1")
	service.SetGroupVersionKind(kind)
	good := encode(runtime.ContentTypeProtobuf, service)
	for name, data := range map[string][]byte{
		"no object":   []byte("{}"),
		"nothing":     nil,
		"cut off":     good[:len(good)-3],
		"a bad field": bytes.Replace(good, []byte("web"), []byte{3, 0xff, 0xff}, 1)[:20],
	} {
		if obj, _, err := info.Serializer.Decode(data, nil, nil); err == nil {
			t.Errorf("%s: %v", name, obj)
		}
	}
	if _, _, err := info.StreamSerializer.Decode([]byte{0xff}, nil, new(metav1.WatchEvent)); err == nil {
		t.Error("an event of one byte")
	}
}

// A list is read to its end, and one that is cut off anywhere is an error.
func TestListReader(t *testing.T) {
	list := &corev1.ServiceList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "more", RemainingItemCount: new(int64(3))},
		Items:    []corev1.Service{*serviceObject("a", "10.0.0.1"), {}, *serviceObject("bb", "10.0.0.2")},
	}
	data := encode(runtime.ContentTypeProtobuf, list)
	read := func(data []byte) (names []string, about metav1.ListMeta, err error) {
		about, err = readList(bytes.NewReader(data), decodeService, func(obj metav1.Object) { names = append(names, obj.GetName()) })
		return names, about, err
	}
	names, about, err := read(data)
	if err != nil || strings.Join(names, ",") != "a,,bb" || about.ResourceVersion != "7" || about.Continue != "more" {
		t.Errorf("%q, %+v, %v", names, about, err)
	}
	// The end of the envelope is two empty texts, which nobody misses.
	for cut := range len(data) - 4 {
		if names, _, err := read(data[:cut]); err == nil {
			t.Fatalf("the first %d of %d bytes are a list of %q", cut, len(data), names)
		}
	}
}

func FuzzListReader(f *testing.F) {
	list := &corev1.ServiceList{Items: []corev1.Service{*serviceObject("a", "10.0.0.1"), {}}}
	list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "ServiceList"})
	f.Add(encode(runtime.ContentTypeProtobuf, list))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		_, err := readList(io.MultiReader(bytes.NewReader(data)), decodeService, func(metav1.Object) { n++ })
		whole := new(corev1.ServiceList)
		if _, raw, broken := openEnvelope(data); broken == nil && raw != nil && whole.Unmarshal(raw) == nil {
			if err == nil && n != len(whole.Items) {
				t.Errorf("%d objects, want %d", n, len(whole.Items))
			}
		}
	})
}
