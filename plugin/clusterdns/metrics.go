package clusterdns

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are those of the process: an instance comes and goes with every
// reload, and its counters must not.
var metrics = newMetrics(prometheus.DefaultRegisterer)

type metricSet struct {
	manifestErrors prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metricSet {
	return &metricSet{
		manifestErrors: promauto.With(r).NewCounter(prometheus.CounterOpts{
			Namespace: plugin.Namespace,
			Subsystem: "clusterdns",
			Name:      "manifest_errors_total",
			Help:      "Counter of manifests that changed and could not be loaded; the last good state stays.",
		}),
	}
}
