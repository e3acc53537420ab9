// Package metrics has the collectors of the process, and passes to them what the watchers,
// the look-ups, the sockets and the completion of searched names report. It imports no
// handler.
//
// The rule not to break: a metric that stock CoreDNS has keeps its name and labels.
package metrics

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// Subsystems of the metrics. Metrics that stock CoreDNS has keep their names, so that
// dashboards work unchanged.
const (
	stockSubsystem = "kubernetes"
	subsystem      = "clusterdns"
)

// Collectors are all metrics of the plugin. The fast path also counts in CoreDNS's own.
type Collectors struct {
	registerer prometheus.Registerer

	programming *prometheus.HistogramVec
	requests    *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	limited     *prometheus.HistogramVec

	manifestErrors prometheus.Counter
	commits        prometheus.Counter
	relists        *prometheus.CounterVec
	silences       *prometheus.CounterVec
	answers        *prometheus.CounterVec
	objects        *prometheus.GaugeVec
	contested      prometheus.Gauge
	lastEvent      *prometheus.GaugeVec
	watches        watches

	fastPath        *prometheus.GaugeVec
	fastPathPackets *prometheus.CounterVec
	searched        *prometheus.CounterVec
	searchSaved     prometheus.Counter
	silenced        prometheus.Counter
}

// New registers all metrics. snapshots must return the snapshots that are in memory when it
// is called, and report who has asked what in the last seconds.
func New(r prometheus.Registerer, snapshots func() []*cluster.Snapshot, report func() *top.Report) *Collectors {
	r.MustRegister(newMemoryCollector(snapshots), newTopCollector(report))
	make := promauto.With(r)
	return &Collectors{
		registerer: r,
		watches:    watches{of: map[string]int{}},
		programming: make.NewHistogramVec(histogram("dns_programming_duration_seconds",
			"Histogram of the time (in seconds) it took to program a dns instance.",
			prometheus.ExponentialBuckets(0.001, 2, 20)), []string{"service_kind"}),
		requests: make.NewCounterVec(counter(stockSubsystem, "rest_client_requests_total",
			"Number of HTTP requests, partitioned by status code, method, and host."), []string{"code", "method", "host"}),
		latency: make.NewHistogramVec(histogram("rest_client_request_duration_seconds",
			"Request latency in seconds. Broken down by verb and host.", prometheus.DefBuckets), []string{"verb", "host"}),
		limited: make.NewHistogramVec(histogram("rest_client_rate_limiter_duration_seconds",
			"Client side rate limiter latency in seconds. Broken down by verb and host.", prometheus.DefBuckets), []string{"verb", "host"}),
		manifestErrors: make.NewCounter(counter(subsystem, "manifest_errors_total",
			"Counter of manifests that changed and could not be loaded; the last good state stays.")),
		commits: make.NewCounter(counter(subsystem, "commits_total",
			"Counter of changes to what is served, each of one or several objects.")),
		relists: make.NewCounterVec(counter(subsystem, "relists_total",
			"Counter of lists after the first, by resource."), []string{"resource"}),
		silences: make.NewCounterVec(counter(subsystem, "watch_silences_total",
			"Counter of watches given up because the API server sent nothing on them, by resource."), []string{"resource"}),
		answers: make.NewCounterVec(counter(subsystem, "answers_total",
			"Counter of questions in zones of the cluster, by kind of name (existing or missing) and by outcome."),
			[]string{"server", "kind", "outcome"}),
		objects: make.NewGaugeVec(gauge("objects",
			"Number of objects held, by resource."), []string{"resource"}),
		contested: make.NewGauge(gauge("published_contested_names",
			"Number of published names that several objects claim, each with other records; the oldest object has the name.")),
		lastEvent: make.NewGaugeVec(gauge("last_event_timestamp_seconds",
			"Unix time at which the API server was last heard of, by resource. It sends a sign of life about once a minute."), []string{"resource"}),
		fastPath: make.NewGaugeVec(gauge("fastpath_enabled",
			"Whether questions are answered before the plugin chain, by the address of the listener. Where they are not, they may be handed over to it all the same."), []string{"server"}),
		fastPathPackets: make.NewCounterVec(counter(subsystem, "fastpath_packets_total",
			"Counter of UDP packets: answered before the plugin chain, handed over to it, dropped under overload, ignored for being no question, and missed for having come to CoreDNS's own socket."),
			[]string{"server", "outcome"}),
		searched: make.NewCounterVec(counter(subsystem, "search_completions_total",
			"Counter of searched names, by outcome and by the place in the search path that matched."), []string{"outcome", "position"}),
		searchSaved: make.NewCounter(counter(subsystem, "search_saved_questions_total",
			"Counter of questions that clients need not ask because a name was completed.")),
		silenced: make.NewCounter(counter(subsystem, "no_aaaa_total",
			"Counter of questions for AAAA that no_aaaa answered without data.")),
	}
}

// ManifestError counts a manifest that could not be loaded.
func (c *Collectors) ManifestError() { c.manifestErrors.Inc() }

// Silenced returns the counter of questions for AAAA that are answered without data.
func (c *Collectors) Silenced() prometheus.Counter { return c.silenced }

func counter(subsystem, name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: plugin.Namespace, Subsystem: subsystem, Name: name, Help: help}
}

func gauge(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: plugin.Namespace, Subsystem: subsystem, Name: name, Help: help}
}

func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Namespace:                   plugin.Namespace,
		Subsystem:                   stockSubsystem,
		Name:                        name,
		Help:                        help,
		Buckets:                     buckets,
		NativeHistogramBucketFactor: plugin.NativeHistogramBucketFactor,
	}
}
