package metrics

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// topNamespaces is the largest number of Namespaces with a series.
const topNamespaces = 20

// topCollector reports which Namespaces ask most. Their series are made at each scrape, so that one
// that asks no more has none.
type topCollector struct {
	desc   *prometheus.Desc
	report func() *top.Report
}

func newTopCollector(report func() *top.Report) *topCollector {
	return &topCollector{report: report, desc: prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, subsystem, "top_questions_per_second"),
		"Questions in a second of the last ten to twenty, by the Namespace that asks, of the 20 that ask most. Clients that are no Pods are -.",
		[]string{"namespace"}, nil)}
}

// Describe implements prometheus.Collector.
func (c *topCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector. Where Pods are not watched, nobody's Namespace is known.
func (c *topCollector) Collect(ch chan<- prometheus.Metric) {
	report := c.report()
	if !report.Pods {
		return
	}
	rows := report.List(top.ByNamespace).Rows
	for _, row := range rows[:min(topNamespaces, len(rows))] {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, row.PerSecond, row.Item)
	}
}
