package scrape

import (
	"bytes"
	"maps"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics are what the metrics of a process were at a moment.
type Metrics struct {
	At       time.Time
	families map[string]*dto.MetricFamily
}

// Parse reads what a process gives to Prometheus.
func Parse(body []byte) (*Metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	return &Metrics{time.Now(), families}, err
}

// Has reports whether there is a metric of a name.
func (m *Metrics) Has(name string) bool { return m.families[name] != nil }

// By returns the sums of a metric by one of its labels, of those series that have the other labels, each written
// as name=value.
func (m *Metrics) By(name, label string, others ...string) map[string]float64 {
	sums := map[string]float64{}
	for _, series := range m.families[name].GetMetric() {
		value, has := "", map[string]bool{}
		for _, l := range series.GetLabel() {
			has[l.GetName()+"="+l.GetValue()] = true
			if l.GetName() == label {
				value = l.GetValue()
			}
		}
		if !slices.ContainsFunc(others, func(o string) bool { return !has[o] }) {
			sums[value] += valueOf(series)
		}
	}
	return sums
}

// valueOf returns the value of a series; of a histogram, how much it has counted.
func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount())
	}
	return m.Untyped.GetValue()
}

// Sum returns the sum of a metric's series that have some labels.
func (m *Metrics) Sum(name string, labels ...string) (sum float64) {
	for value := range maps.Values(m.By(name, "", labels...)) {
		sum += value
	}
	return sum
}

// Rise returns by how much a counter rises in a second.
func Rise(first, later *Metrics, name string, labels ...string) float64 {
	took := later.At.Sub(first.At).Seconds()
	if took <= 0 {
		return 0
	}
	return max(0, later.Sum(name, labels...)-first.Sum(name, labels...)) / took
}
