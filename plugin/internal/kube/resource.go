package kube

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/barrier"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
)

// resource is one kind of object on its way to the writer. Its methods make changes for the
// writer to apply. Only one goroutine at a time may call them.
type resource interface {
	about() *description

	newObject() runtime.Object
	newList() runtime.Object

	// put makes the change for an object of a list, event for one that is new or has
	// changed, and drop for one that is gone. Objects that are not put between begin and
	// end are removed by end.
	put(obj metav1.Object) change
	event(obj metav1.Object) change
	drop(obj metav1.Object) change
	begin() change
	end() change
	// waive makes the change that stops the wait for the first list.
	waive() change

	// listing reports whether a list has begun and not ended, count returns the number of
	// objects. Only the writer's goroutine may call them.
	listing() bool
	count() int
}

// description describes a resource to the API server, the log and the metrics.
type description struct {
	name     string // in log lines and metrics
	kind     string
	versions []schema.GroupVersion // of the API, the best one first
	plural   string                // in URLs
	fields   string                // a field selector
	labels   labels.Selector
	optional bool           // the sync does not wait for this kind if it cannot be watched
	decode   slimpb.Decoder // for objects in protobuf; nil for a kind that only exists in JSON

	barrier *barrier.Barrier // keeps events back while Watchers are aligned
	told    int              // for the writer only: the last count that was reported to the observer
}

// logged returns the description of the kind for the log.
func (d *description) logged() apiserver.Kind {
	return apiserver.Kind{Name: d.name, Group: d.versions[0].Group, Resource: d.plural, Optional: d.optional}
}

// codecs returns the codecs of the kind.
func (d *description) codecs(version schema.GroupVersion) runtime.NegotiatedSerializer {
	if d.decode == nil {
		return codecs
	}
	return slimpb.Codecs(codecs, version.WithKind(d.kind), d.decode)
}

// newConverter makes a converter for one resource. Resources cannot share converters, which
// are not safe for concurrent use.
func newConverter(cfg Config) *convert.Converter {
	return convert.New(convert.Settings{PodNames: cfg.PodNames, PodLabels: cfg.PodLabels, TopologyZones: cfg.TopologyZones})
}

// tabled is what all resources have in common: their objects are in a table of the writer.
type tabled[K comparable, T any] struct {
	description
	table  *table.Table[K, T]
	settle func() // stops the wait for the first list
}

func newTabled[K comparable, T any](w *writer, t *table.Table[K, T], d description) tabled[K, T] {
	d.barrier, d.told = barrier.New(), -1
	return tabled[K, T]{description: d, table: t, settle: sync.OnceFunc(func() { w.awaited-- })}
}

func (r *tabled[K, T]) about() *description { return &r.description }

// set makes the change that stores an object under an ID, or removes it if now is nil.
func (r *tabled[K, T]) set(id K, now *T) change {
	return func(txn *cluster.Txn) { r.table.Put(txn, id, now) }
}

func (r *tabled[K, T]) begin() change { return func(*cluster.Txn) { r.table.Begin() } }

func (r *tabled[K, T]) end() change {
	return func(txn *cluster.Txn) {
		r.table.Sweep(txn)
		r.settle()
	}
}

func (r *tabled[K, T]) waive() change { return func(*cluster.Txn) { r.settle() } }
func (r *tabled[K, T]) listing() bool { return r.table.Held.Marks() }
func (r *tabled[K, T]) count() int    { return r.table.Held.Len() }
