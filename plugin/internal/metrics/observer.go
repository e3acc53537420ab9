package metrics

import (
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// observer counts what one watcher does. The counts of several watchers add up.
type observer struct {
	*Collectors
	mu      sync.Mutex
	counts  map[string]int  // numbers of objects, as last reported
	names   int             // number of contested names, as last reported
	watched map[string]bool // resources of which an API server has been heard
}

var _ kube.Observer = (*observer)(nil)

// Observer returns an observer for one watcher.
func (c *Collectors) Observer() kube.Observer { return newObserver(c) }

func newObserver(c *Collectors) *observer {
	return &observer{Collectors: c, counts: map[string]int{}, watched: map[string]bool{}}
}

// Programmed implements kube.Observer.
func (o *observer) Programmed(serviceKind string, latency time.Duration) {
	o.programming.WithLabelValues(serviceKind).Observe(latency.Seconds())
}

// Heard implements kube.Observer.
func (o *observer) Heard(resource string, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.watched[resource] {
		o.watched[resource] = true
		o.begin(resource)
	}
	o.lastEvent.WithLabelValues(resource).Set(float64(at.UnixMilli()) / 1000)
}

// begin counts a watch of the resource. The counters of what may go wrong with it begin at
// zero: where a counter appears with a one, increase() does not see its first count.
func (o *observer) begin(resource string) {
	o.watches.begin(resource)
	o.relists.WithLabelValues(resource)
	o.silences.WithLabelValues(resource)
}

// Relisted implements kube.Observer.
func (o *observer) Relisted(resource string) { o.relists.WithLabelValues(resource).Inc() }

// Silent implements kube.Observer.
func (o *observer) Silent(resource string) { o.silences.WithLabelValues(resource).Inc() }

// Held implements kube.Observer.
func (o *observer) Held(resource string, objects int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.objects.WithLabelValues(resource).Add(float64(objects - o.counts[resource]))
	o.counts[resource] = objects
}

// Contested implements kube.Observer.
func (o *observer) Contested(names int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.contested.Add(float64(names - o.names))
	o.names = names
}

// End subtracts the objects of a watcher that has stopped. What nobody watches any more has
// no last event: its age would grow for ever.
func (o *observer) End() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for resource, objects := range o.counts {
		o.objects.WithLabelValues(resource).Sub(float64(objects))
	}
	clear(o.counts)
	o.contested.Sub(float64(o.names))
	o.names = 0
	for resource := range o.watched {
		if o.watches.end(resource) {
			o.lastEvent.DeleteLabelValues(resource)
		}
	}
	clear(o.watched)
}

// watches counts the watches of each resource.
type watches struct {
	mu sync.Mutex
	of map[string]int
}

func (w *watches) begin(resource string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[resource]++
}

// end reports whether that was the last watch of the resource.
func (w *watches) end(resource string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[resource]--
	return w.of[resource] == 0
}

// Committed implements kube.Observer.
func (o *observer) Committed() { o.commits.Inc() }

// Requested implements kube.Observer. As in stock CoreDNS, the histograms leave out
// watches, which last as long as nothing breaks them.
func (o *observer) Requested(r kube.Request) {
	o.requests.WithLabelValues(r.Code, r.Method, r.Host).Inc()
	if r.Watch {
		return
	}
	o.latency.WithLabelValues(r.Method, r.Host).Observe(r.Took.Seconds())
	o.limited.WithLabelValues(r.Method, r.Host).Observe(r.Waited.Seconds())
}
