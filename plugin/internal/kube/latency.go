package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// dated is a visible change of an EndpointSlice with the time of its cause.
type dated struct {
	service cluster.Key
	since   time.Time
}

// triggerTime returns when the cause of a slice's change happened, as its controller
// reports it (annotation endpoints.kubernetes.io/last-change-trigger-time), or zero if it
// does not.
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

// observeLatency ignores changes that no client could see: those before the sync, and those
// of a Service that does not exist. A latency is at least zero, because the local clock may
// be behind the controller's.
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
