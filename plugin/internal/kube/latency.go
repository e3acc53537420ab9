package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// dated is a change of a slice whose cause in the cluster has a date.
type dated struct {
	service cluster.Key
	since   time.Time
}

// triggerTime is when the controller of a slice was told of the change that it
// made, or zero if it does not say.
func triggerTime(obj metav1.Object) time.Time {
	since, err := time.Parse(time.RFC3339Nano, obj.GetAnnotations()[corev1.EndpointsLastChangeTriggerTime])
	if err != nil {
		return time.Time{}
	}
	return since
}

// observe reports a commit to the observer.
func (w *writer) observe() {
	w.observer.Committed()
	for _, d := range w.dated {
		w.observeLatency(d)
	}
	w.dated = nil
	for _, r := range w.resources {
		about, n := r.about(), r.count()
		if n != about.told {
			w.observer.Held(about.name, n)
			about.told = n
		}
	}
}

// observeLatency leaves out changes that no client could see: those before the sync,
// and those of a Service that is not known. The clock may be behind the controller's.
func (w *writer) observeLatency(d dated) {
	service := w.services.held.at(d.service)
	if service == nil || !w.store.Load().Synced() {
		return
	}
	kind := "cluster_ip"
	if service.Kind == cluster.Headless {
		kind = "headless_with_selector"
	}
	w.observer.Programmed(kind, max(0, w.clock.Since(d.since)))
}
