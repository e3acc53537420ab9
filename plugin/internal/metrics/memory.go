package metrics

import (
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
	snapshots func() []*cluster.Snapshot
}

func newMemoryCollector(snapshots func() []*cluster.Snapshot) *memoryCollector {
	return &memoryCollector{
		desc: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "held_bytes"),
			"Bytes of the live heap that the current state takes, by resource; addresses is the index of their names. The rest of the heap is the server's.",
			[]string{"resource"}, nil),
		sliceless: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "headless_without_slices"),
			"Number of headless Services that no EndpointSlice is held of. Kubernetes makes one for each Service with a selector.", nil, nil),
		synced: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "synced"),
			"Whether the whole cluster is known, so that questions are answered. Without a watch there is no such series.", nil, nil),
		snapshots: snapshots,
	}
}

// Describe implements prometheus.Collector.
func (c *memoryCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.desc
	ch <- c.sliceless
	ch <- c.synced
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
	}
	for resource, bytes := range sums {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(bytes), resource)
	}
	if len(snapshots) > 0 {
		ch <- prometheus.MustNewConstMetric(c.sliceless, prometheus.GaugeValue, float64(sliceless))
		ch <- prometheus.MustNewConstMetric(c.synced, prometheus.GaugeValue, synced(snapshots))
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
