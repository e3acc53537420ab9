// Package metrics reads the metrics of the test's own process, and of servers.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Series returns the series of a counter or gauge that have the given labels, each written
// as name=value.
func Series(t testing.TB, name string, labels ...string) map[string]float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if its := labelsOf(m); !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(its, l) }) {
				found[fmt.Sprint(its)] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return found
}

func labelsOf(m *dto.Metric) []string {
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	return labels
}

// Total returns the sum of those series.
func Total(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	sum := 0.0
	for _, value := range Series(t, name, labels...) {
		sum += value
	}
	return sum
}

// Fetch returns the metrics of the server at an address as Prometheus reads them, on a connection of their own.
func Fetch(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	return string(text), errors.Join(err, response.Body.Close())
}
