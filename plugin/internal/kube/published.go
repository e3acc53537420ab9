package kube

import (
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
)

// published are the objects of a kind that gives names to the world. The kinds are optional: a
// cluster need not have them, and its own names neither depend on them nor wait for them.
type published struct {
	tabled[cluster.Key, publish.Object]
	kind     publish.Kind
	settings publish.Settings
}

func newPublished(cfg Config, kind publish.Kind, w *writer) *published {
	t := table.New(func(o *publish.Object) cluster.Key { return o.Key }, publish.Same, w.names.Replace)
	r := &published{newTabled(w, t, description{
		name:     strings.ToLower(kind.Plural),
		kind:     kind.Name,
		versions: kind.Versions,
		plural:   kind.Plural,
		labels:   labels.Everything(),
		optional: true,
		decode:   kind.Decode,
	}), kind, cfg.Published}
	r.settle = sync.OnceFunc(func() {
		w.namesAwaited--
		if cfg.PublishedOnly {
			w.awaited--
		}
	})
	return r
}

func (r *published) newObject() runtime.Object { return r.kind.New() }
func (r *published) newList() runtime.Object   { return r.kind.NewList() }

func (r *published) put(obj metav1.Object) change {
	return r.set(convert.KeyOf(obj), r.kind.Convert(r.settings, obj))
}

func (r *published) event(obj metav1.Object) change { return r.put(obj) }
func (r *published) drop(obj metav1.Object) change  { return r.set(convert.KeyOf(obj), nil) }

// publishing are the cluster's own Services, of which those with a load balancer give names to the
// world. Both come from one list and one watch.
type publishing struct {
	*services
	names *published
}

func (r publishing) put(obj metav1.Object) change {
	return both(r.services.put(obj), r.names.put(obj))
}

func (r publishing) event(obj metav1.Object) change { return r.put(obj) }

func (r publishing) drop(obj metav1.Object) change {
	return both(r.services.drop(obj), r.names.drop(obj))
}

func (r publishing) begin() change { return both(r.services.begin(), r.names.begin()) }
func (r publishing) end() change   { return both(r.names.tableEnd(), r.services.end()) }

// tableEnd ends a list of a kind for which nothing waits.
func (r *published) tableEnd() change {
	return func(txn *cluster.Txn) { r.table.Sweep(txn) }
}

func both(first, second change) change {
	return func(txn *cluster.Txn) {
		first(txn)
		second(txn)
	}
}

// newPublishers makes the resources that give names to the world, in addition to the Services. If
// there is nothing else to show, the writer waits for their first lists.
func newPublishers(cfg Config, w *writer) (list []resource) {
	w.publishes = cfg.Published.Kinds != 0
	for _, kind := range cfg.Published.All() {
		if kind.Name != "Service" {
			list = append(list, newPublished(cfg, kind, w))
		}
	}
	if w.namesAwaited = len(list); cfg.PublishedOnly {
		w.awaited += len(list)
	}
	return list
}

// newServiceResource makes the resource of the Services, with the names that they give to the
// world if cfg asks for those.
func newServiceResource(cfg Config, selected labels.Selector, w *writer) resource {
	own := newServices(cfg, selected, w)
	for _, kind := range cfg.Published.All() {
		if kind.Name == "Service" {
			return publishing{own, newPublished(cfg, kind, w)}
		}
	}
	return own
}

// settleNames says that all objects which give names to the world are known, and reports how many
// names several of them have. A claim without effect makes no commit, and counts all the same.
func (w *writer) settleNames() {
	w.names.Settle()
	if n := w.names.Contested(); n != w.contested {
		w.observer.Contested(n)
		w.contested = n
	}
}
