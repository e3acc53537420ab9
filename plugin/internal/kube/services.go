package kube

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// services are the cluster's own Services.
type services struct {
	tabled[cluster.Key, cluster.Service]
	converter *convert.Converter
}

func newServices(cfg Config, selected labels.Selector, w *writer) *services {
	return &services{newTabled(w, w.services, description{
		name:     "services",
		kind:     "Service",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		plural:   "services",
		labels:   selected,
		decode:   cfg.Published.DecodeService(),
	}), newConverter(cfg)}
}

func (r *services) newObject() runtime.Object { return new(corev1.Service) }
func (r *services) newList() runtime.Object   { return new(corev1.ServiceList) }

func (r *services) put(obj metav1.Object) change {
	return r.set(convert.KeyOf(obj), r.converter.Service(obj.(*corev1.Service)))
}

func (r *services) event(obj metav1.Object) change { return r.put(obj) }
func (r *services) drop(obj metav1.Object) change  { return r.set(convert.KeyOf(obj), nil) }
