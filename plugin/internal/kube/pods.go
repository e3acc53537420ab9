package kube

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// pods are the cluster's Pods, identified by namespace and name. The deletion of a Pod does
// not remove a newer Pod that has taken its name. Of Pods with one name, the last that is
// put is the newest, because the API server keeps the order of one name; it keeps no order
// among Pods with one address.
type pods struct {
	tabled[uint64, cluster.Pod]
	converter *convert.Converter
}

func newPods(cfg Config, selected labels.Selector, w *writer) *pods {
	return &pods{newTabled(w, w.pods, description{
		name:     "pods",
		kind:     "Pod",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		plural:   "pods",
		fields:   withoutPhases(),
		labels:   selected,
		decode:   slimpb.Pod(cfg.PodLabels),
	}), newConverter(cfg)}
}

func withoutPhases() string {
	var terms []string
	for _, phase := range convert.EndedPhases {
		terms = append(terms, "status.phase!="+string(phase))
	}
	return strings.Join(terms, ",")
}

func (r *pods) newObject() runtime.Object { return new(corev1.Pod) }
func (r *pods) newList() runtime.Object   { return new(corev1.PodList) }

func (r *pods) put(obj metav1.Object) change {
	pod := obj.(*corev1.Pod)
	if convert.Ended(pod) {
		return r.drop(obj)
	}
	return r.set(convert.PodID(convert.KeyOf(obj)), r.converter.Pod(pod))
}

func (r *pods) event(obj metav1.Object) change { return r.put(obj) }

func (r *pods) drop(obj metav1.Object) change {
	id, uid := convert.PodID(convert.KeyOf(obj)), convert.PodUID(obj)
	return func(txn *cluster.Txn) {
		if held := r.table.Held.At(id); held != nil && held.UID == uid {
			r.table.Put(txn, id, nil)
		}
	}
}
