package metrics

import (
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// memoryCollector reports how much memory the state of the cluster takes, whether the state is
// whole, and which Services have nothing to show. It computes that at each scrape, so changes cost nothing and no update can be
// forgotten.
type memoryCollector struct {
	desc      *prometheus.Desc
	sliceless *prometheus.Desc
	synced    *prometheus.Desc
	restored  *prometheus.Desc
	age       *prometheus.Desc
	snapshots func() []*cluster.Snapshot
	now       func() time.Time
}

func newMemoryCollector(snapshots func() []*cluster.Snapshot) *memoryCollector {
	return &memoryCollector{
		desc: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "held_bytes"),
			"Bytes of the live heap that the current state takes, by resource; addresses is the index of their names, published the names of k8s_gateway. The rest of the heap is the server's.",
			[]string{"resource"}, nil),
		sliceless: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "headless_without_slices"),
			"Number of headless Services that no EndpointSlice is held of. Kubernetes makes one for each Service with a selector.", nil, nil),
		synced: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "synced"),
			"Whether the whole cluster is known, so that questions are answered. Without a watch there is no such series.", nil, nil),
		restored: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "restored"),
			"Number of watches whose data comes from the file of the property state, until the API server has sent its own.", nil, nil),
		age: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "restored_age_seconds"),
			"Seconds since the data from the file was true, or 0 if there is none.", nil, nil),
		snapshots: snapshots,
		now:       time.Now,
	}
}

// Describe implements prometheus.Collector.
func (c *memoryCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.desc
	ch <- c.sliceless
	ch <- c.synced
	ch <- c.restored
	ch <- c.age
}

// Collect implements prometheus.Collector.
func (c *memoryCollector) Collect(ch chan<- prometheus.Metric) {
	sums, sliceless, snapshots := map[string]int{}, 0, c.snapshots()
	for _, s := range snapshots {
		sliceless += s.HeadlessWithoutSlices()
		size := s.Size()
		sums["namespaces"] += size.Namespaces
		sums["services"] += size.Services
		sums["endpointslices"] += size.Slices
		sums["pods"] += size.Pods
		sums["serviceimports"] += size.Imports
		sums["multicluster-endpointslices"] += size.ImportedSlices
		sums["addresses"] += size.Addresses
		sums["published"] += size.Published
	}
	for resource, bytes := range sums {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(bytes), resource)
	}
	if len(snapshots) > 0 {
		ch <- prometheus.MustNewConstMetric(c.sliceless, prometheus.GaugeValue, float64(sliceless))
		ch <- prometheus.MustNewConstMetric(c.synced, prometheus.GaugeValue, synced(snapshots))
		c.collectRestored(ch, snapshots)
	}
}

// synced returns 1 if all snapshots are of a whole cluster, else 0.
func synced(snapshots []*cluster.Snapshot) float64 {
	for _, s := range snapshots {
		if !s.Synced() {
			return 0
		}
	}
	return 1
}

// collectRestored tells how many snapshots are restored, and how old the oldest is.
func (c *memoryCollector) collectRestored(ch chan<- prometheus.Metric, snapshots []*cluster.Snapshot) {
	restored, age := 0, 0.0
	for _, s := range snapshots {
		if asOf := s.RestoredAsOf(); asOf != 0 {
			restored++
			age = max(age, c.now().Sub(time.Unix(asOf, 0)).Seconds())
		}
	}
	ch <- prometheus.MustNewConstMetric(c.restored, prometheus.GaugeValue, float64(restored))
	ch <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, age)
}
