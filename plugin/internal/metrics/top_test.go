package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

func noReport() *top.Report { return &top.Report{} }

// Twenty Namespaces have a series, and those that ask no more have none.
func TestTopNamespaces(t *testing.T) {
	r := &top.Report{Seconds: 10, Pods: true}
	for i := range 30 {
		r.Namespaces = append(r.Namespaces, top.Row{Item: fmt.Sprint("n", i), Count: top.Count{Questions: uint64(1000 - i)}})
	}
	registry := prometheus.NewRegistry()
	New(registry, snapshots(1), func() *top.Report { return r })
	const name = "coredns_clusterdns_top_questions_per_second"
	if n, err := testutil.GatherAndCount(registry, name); n != topNamespaces || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
	r = &top.Report{Seconds: 10, Pods: true, Namespaces: []top.Row{{Item: "shop", Count: top.Count{Questions: 25}}, {Item: "-", Count: top.Count{Questions: 5}}}}
	want := "# HELP " + name + " Questions in a second of the last ten to twenty, by the Namespace that asks, of the 20 that ask most. Clients that are no Pods are -.\n" +
		"# TYPE " + name + " gauge\n" + name + "{namespace=\"-\"} 0.5\n" + name + "{namespace=\"shop\"} 2.5\n"
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), name); err != nil {
		t.Error(err)
	}
	r.Pods = false
	if n, err := testutil.GatherAndCount(registry, name); n != 0 || err != nil {
		t.Errorf("without Pods: %d series, %v", n, err)
	}
}
