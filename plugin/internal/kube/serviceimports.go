package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// importVersions are the versions of the Multi-Cluster Services API whose ServiceImports
// have the same fields for our purpose.
var importVersions = []schema.GroupVersion{
	{Group: "multicluster.x-k8s.io", Version: "v1beta1"},
	{Group: "multicluster.x-k8s.io", Version: "v1alpha1"},
}

type serviceImportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []convert.ServiceImport `json:"items"`
}

// DeepCopyObject implements runtime.Object. A shallow copy is enough, because nobody
// changes one.
func (l *serviceImportList) DeepCopyObject() runtime.Object { c := *l; return &c }

// serviceImports are optional: a cluster need not have the kind installed, and its own
// names do not depend on it.
type serviceImports struct {
	tabled[cluster.Key, cluster.Service]
	converter *convert.Converter
}

func newServiceImports(cfg Config, w *writer) *serviceImports {
	return &serviceImports{newTabled(w, w.imports, description{
		name:     "serviceimports",
		kind:     "ServiceImport",
		versions: importVersions,
		plural:   "serviceimports",
		labels:   labels.Everything(),
		optional: true,
	}), newConverter(cfg)}
}

func (r *serviceImports) newObject() runtime.Object { return new(convert.ServiceImport) }
func (r *serviceImports) newList() runtime.Object   { return new(serviceImportList) }

func (r *serviceImports) put(obj metav1.Object) change {
	return r.set(convert.KeyOf(obj), r.converter.ServiceImport(obj.(*convert.ServiceImport)))
}

func (r *serviceImports) event(obj metav1.Object) change { return r.put(obj) }
func (r *serviceImports) drop(obj metav1.Object) change  { return r.set(convert.KeyOf(obj), nil) }
