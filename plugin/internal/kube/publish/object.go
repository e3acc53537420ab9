package publish

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/behind"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// ID identifies an object.
type ID struct {
	Kind string
	cluster.Key
}

// Object is an object with what matters here. It must not change after it was passed to a Set.
type Object struct {
	ID
	created int64 // unix seconds

	names       []named         // of an object that names its own targets
	route       *route          // of a route
	gateway     *gateway        // of a Gateway
	listenerSet *listenerSet    // of a ListenerSet
	service     *behind.Service // of a Service that names may lead to inside
	class       string          // of an Ingress, if names are shown inside

	problems []string // parts that are left out, with the reason
}

// named is a name with what it has. The name is a key of cluster.Txn.Publish. It may be in no zone.
type named struct {
	name    string
	records *cluster.Published // nil for a name that is there inside only, while nothing outside leads to it
}

func newObject(kind string, o metav1.Object) *Object {
	return &Object{ID: ID{kind, convert.KeyOf(o)}, created: o.GetCreationTimestamp().Unix()}
}

// Same reports whether two objects with the same ID are equal here.
func Same(a, b *Object) bool {
	return a.created == b.created &&
		slices.EqualFunc(a.names, b.names, func(x, y named) bool { return x.name == y.name && x.records.Equal(y.records) }) &&
		a.route.equal(b.route) && a.gateway.equal(b.gateway) && a.listenerSet.equal(b.listenerSet) &&
		a.class == b.class && a.service.Equal(b.service) && slices.Equal(a.problems, b.problems)
}

// before reports whether an object wins against another that has the same name: it is older or,
// of the same age, first by Namespace, name and kind.
func (o *Object) before(other *Object) bool {
	if o.created != other.created {
		return o.created < other.created
	}
	if c := o.Compare(&other.Key); c != 0 {
		return c < 0
	}
	return o.Kind < other.Kind
}

// ignored reports whether the author of an object wants it to have no names.
func ignored(o metav1.Object) bool { return o.GetLabels()[slimpb.LabelIgnore] == "true" }
