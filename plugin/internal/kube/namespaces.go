package kube

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// namespace is a Namespace as DNS sees it: that it exists, and for published names its labels.
type namespace struct {
	name   string
	labels string // as a selector of all of them; empty unless they matter
	hidden bool   // it is for published names alone
}

func sameNamespace(a, b *namespace) bool { return *a == *b }

func namespaceKey(n *namespace) cluster.Key { return cluster.Key{Name: n.name} }

func (w *writer) replaceNamespace(txn *cluster.Txn, old, now *namespace) {
	if now == nil {
		txn.DeleteNamespace(old.name)
		w.names.DeleteNamespace(txn, old.name)
		return
	}
	if now.hidden {
		txn.DeleteNamespace(now.name)
	} else {
		txn.PutNamespace(now.name)
	}
	w.names.SetNamespace(txn, now.name, now.labels)
}

// namespaces are the cluster's Namespaces.
type namespaces struct {
	tabled[cluster.Key, namespace]
	writer *writer
	labels bool // keep them
	shown  labels.Selector
}

// newNamespaces makes the resource of the Namespaces. The labels of those that the selector hides matter to
// published names all the same.
func newNamespaces(cfg Config, shown labels.Selector, w *writer) *namespaces {
	read := shown
	if cfg.Published.ReadsNamespaces() {
		read = labels.Everything()
	}
	return &namespaces{newTabled(w, w.namespaces, description{
		name:     "namespaces",
		kind:     "Namespace",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		plural:   "namespaces",
		labels:   read,
		decode:   slimpb.Namespace,
	}), w, cfg.Published.ReadsNamespaces(), shown}
}

func (r *namespaces) newObject() runtime.Object { return new(corev1.Namespace) }
func (r *namespaces) newList() runtime.Object   { return new(corev1.NamespaceList) }

func (r *namespaces) put(obj metav1.Object) change {
	if obj.GetName() == metav1.NamespaceSystem {
		r.writer.outside.identify(obj.GetUID())
	}
	n := &namespace{name: obj.GetName()}
	if r.labels {
		n.labels = labels.Set(obj.GetLabels()).String()
		n.hidden = !r.shown.Matches(labels.Set(obj.GetLabels()))
	}
	return r.set(convert.KeyOf(obj), n)
}

func (r *namespaces) event(obj metav1.Object) change { return r.put(obj) }
func (r *namespaces) drop(obj metav1.Object) change  { return r.set(convert.KeyOf(obj), nil) }
