package metrics

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// tableRow matches a row of the page's table of metrics.
var tableRow = regexp.MustCompile("(?m)^\\| (`[a-z].*?) \\| .* \\|$")

const metricsPage = "../../../doc/metrics.md"

func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMetricsPageListsTheMetrics(t *testing.T) {
	var listed []string
	for _, row := range tableRow.FindAllStringSubmatch(page(t, metricsPage), -1) {
		listed = append(listed, strings.Trim(row[1], "`"))
	}
	var known described
	New(&known, snapshots(1), noReport)
	known = slices.DeleteFunc(known, func(name string) bool { return !strings.HasPrefix(name, "coredns_"+subsystem) })
	slices.Sort(listed)
	slices.Sort(known)
	if !slices.Equal(listed, known) {
		t.Errorf("%s lists %q\nthe plugin has %q", metricsPage, listed, known)
	}
}

func TestMetricsPageNamesTheLabels(t *testing.T) {
	text := page(t, metricsPage)
	words := []string{fmt.Sprintf("at most %d series", len(kindLabels)*len(outcomeLabels))}
	for _, label := range slices.Concat(kindLabels[:], outcomeLabels[:]) {
		words = append(words, "`"+label+"`")
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s has no %s", metricsPage, word)
		}
	}
}

// described collects the names of registered metrics.
type described []string

var descName = regexp.MustCompile(`fqName: "([a-z_]+)"`)

func (d *described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 1)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for desc := range descs {
		*d = append(*d, descName.FindStringSubmatch(desc.String())[1])
	}
	return nil
}

func (d *described) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		_ = d.Register(c) // never fails
	}
}

func (d *described) Unregister(prometheus.Collector) bool { return false }
