package clusterdns

import (
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// observer tells the metrics what one watcher does. Several watchers add up.
type observer struct {
	*metricSet
	mu   sync.Mutex
	held map[string]int
}

var _ kube.Observer = (*observer)(nil)

func newObserver(m *metricSet) *observer {
	return &observer{metricSet: m, held: map[string]int{}}
}

// Programmed implements kube.Observer.
func (o *observer) Programmed(serviceKind string, latency time.Duration) {
	o.programming.WithLabelValues(serviceKind).Observe(latency.Seconds())
}

// Heard implements kube.Observer.
func (o *observer) Heard(resource string, at time.Time) {
	o.lastEvent.WithLabelValues(resource).Set(float64(at.UnixMilli()) / 1000)
}

// Relisted implements kube.Observer.
func (o *observer) Relisted(resource string) { o.relists.WithLabelValues(resource).Inc() }

// Silent implements kube.Observer.
func (o *observer) Silent(resource string) { o.silences.WithLabelValues(resource).Inc() }

// Held implements kube.Observer.
func (o *observer) Held(resource string, objects int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.objects.WithLabelValues(resource).Add(float64(objects - o.held[resource]))
	o.held[resource] = objects
}

// End takes back what a watcher held that has stopped.
func (o *observer) End() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for resource, objects := range o.held {
		o.objects.WithLabelValues(resource).Sub(float64(objects))
	}
	clear(o.held)
}

// Committed implements kube.Observer.
func (o *observer) Committed() { o.commits.Inc() }

// Requested implements kube.Observer. As in stock, the histograms leave out
// watches, which last as long as nothing breaks them.
func (o *observer) Requested(r kube.Request) {
	o.requests.WithLabelValues(r.Code, r.Method, r.Host).Inc()
	if r.Watch {
		return
	}
	o.latency.WithLabelValues(r.Method, r.Host).Observe(r.Took.Seconds())
	o.limited.WithLabelValues(r.Method, r.Host).Observe(r.Waited.Seconds())
}
