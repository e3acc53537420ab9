package metrics

import (
	"errors"
	"sync"

	"github.com/coredns/coredns/plugin/cache"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// cacheMeter counts answers of the plugin cache as that plugin does. As there, a series begins
// with its first count.
type cacheMeter struct {
	block    reply.Meter
	requests func() prometheus.Counter
	hits     [2]func() prometheus.Counter // by type
}

var _ reply.Meter = (*cacheMeter)(nil)

// Cache implements fastpath.Metrics.
func (m fastPathMetrics) Cache(block reply.Meter, server, zones string) (reply.Meter, bool) {
	requests, ok1 := m.registered("requests_total", "The count of cache requests.", "server", "zones", "view")
	hits, ok2 := m.registered("hits_total", "The count of cache hits.", "server", "type", "zones", "view")
	if !ok1 || !ok2 {
		return nil, false
	}
	of := func(kind string) func() prometheus.Counter {
		return sync.OnceValue(func() prometheus.Counter { return hits.WithLabelValues(server, kind, zones, view) })
	}
	return &cacheMeter{
		block:    block,
		requests: sync.OnceValue(func() prometheus.Counter { return requests.WithLabelValues(server, zones, view) }),
		hits:     [2]func() prometheus.Counter{of(cache.Success), of(cache.Denial)},
	}, true
}

// registered returns a collector of the plugin cache, which the plugin does not export: whoever
// registers its twin is told of it.
func (m fastPathMetrics) registered(name, help string, labels ...string) (*prometheus.CounterVec, bool) {
	twin := prometheus.NewCounterVec(counter("cache", name, help), labels)
	var known prometheus.AlreadyRegisteredError
	switch err := m.registerer.Register(twin); {
	case err == nil:
		m.registerer.Unregister(twin)
		return nil, false
	case errors.As(err, &known):
		vec, ok := known.ExistingCollector.(*prometheus.CounterVec)
		return vec, ok
	}
	return nil, false
}

// Answered implements reply.Meter.
func (m *cacheMeter) Answered(a *reply.Answered) {
	switch a.Source {
	case reply.FromCache:
		m.hits[0]().Inc()
	case reply.FromCacheDenials:
		m.hits[1]().Inc()
	default:
		m.block.Answered(a)
		return
	}
	m.requests().Inc()
}
