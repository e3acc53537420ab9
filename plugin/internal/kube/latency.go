package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// dated is a change of a slice whose cause in the cluster has a date.
type dated struct {
	service cluster.Key
	since   time.Time
}

// timed makes put note the date of a slice's change, if there is one and DNS can
// see the change. A slice equal to the one held leaves that in its place.
func (o *owner) timed(put func(metav1.Object) change) func(metav1.Object) change {
	return func(obj metav1.Object) change {
		key, since, c := convert.KeyOf(obj), triggerTime(obj), put(obj)
		return func(txn *cluster.Txn) {
			before := o.slices.held.at(key)
			c(txn)
			now := o.slices.held.at(key)
			if now != nil && now != before && !since.IsZero() {
				o.dated = append(o.dated, dated{now.Key(), since})
			}
		}
	}
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

// tell tells the observer of a commit.
func (o *owner) tell() {
	o.observer.Committed()
	for _, d := range o.dated {
		o.tellLatency(d)
	}
	o.dated = nil
	for _, f := range o.feeds {
		if n := f.count(); n != f.told {
			o.observer.Held(f.name, n)
			f.told = n
		}
	}
}

// tellLatency leaves out what nobody could have asked for: before the sync, and
// as long as the Service is not known. The clock may be behind the controller's.
func (o *owner) tellLatency(d dated) {
	service := o.services.held.at(d.service)
	if service == nil || !o.store.Load().Synced() {
		return
	}
	kind := "cluster_ip"
	if service.Kind == cluster.Headless {
		kind = "headless_with_selector"
	}
	o.observer.Programmed(kind, max(0, o.clock.Since(d.since)))
}
