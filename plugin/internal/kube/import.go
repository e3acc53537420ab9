package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// importVersions are those of the Multi-Cluster Services API in which a
// ServiceImport looks the same to us.
var importVersions = []schema.GroupVersion{
	{Group: "multicluster.x-k8s.io", Version: "v1beta1"},
	{Group: "multicluster.x-k8s.io", Version: "v1alpha1"},
}

type serviceImportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []convert.ServiceImport `json:"items"`
}

// DeepCopyObject makes a runtime.Object of it; nobody copies one.
func (l *serviceImportList) DeepCopyObject() runtime.Object { c := *l; return &c }

// importFeed is optional: the kind has to be installed, and the cluster's own
// names do not depend on it.
func importFeed(cfg Config, o *owner) *feed {
	f := &feed{
		name:     "serviceimports",
		kind:     "ServiceImport",
		versions: importVersions,
		resource: "serviceimports",
		labels:   labels.Everything(),
		optional: true,
		empty:    func() runtime.Object { return new(convert.ServiceImport) },
		list:     func() runtime.Object { return new(serviceImportList) },
	}
	join(f, o, o.imports, itself, newConverter(cfg).ServiceImport)
	return f
}

// importedSliceFeed has a watch of its own, since the selector is what keeps the
// cluster's other EndpointSlices away where those are not asked for.
func importedSliceFeed(cfg Config, selected labels.Selector, o *owner) *feed {
	f := newSliceFeed("multicluster-endpointslices", cfg, selected)
	join(f, o, o.importedSlices, itself, newConverter(cfg).ImportedSlice)
	return f
}
