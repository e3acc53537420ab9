package watches

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/refcluster"
)

// Every node gets the changes of ordinary Services, unless it watches headless ones alone.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cluster, err := refcluster.Start(ctx, refcluster.Options{
		Shape: refcluster.Shape{Seed: 1, Namespaces: 2, Services: 20, Headless: 4, Endpoints: 60, Largest: 10}, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	var table strings.Builder
	if err := Run(ctx, Options{Cluster: cluster, Time: time.Second, Sizes: []int{3}}, &table); err != nil {
		t.Fatal(err)
	}
	t.Log(table.String())
	for _, want := range []string{"| none | 0 |", "| `endpoints headless` | 3 |", "| `endpoints all` | 3 |", "| kube-proxy | 3 |"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	for line := range strings.Lines(table.String()) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || strings.TrimSpace(cells[2]) != "3" {
			continue
		}
		if silent := strings.TrimSpace(cells[4]) == "0.0"; silent != strings.Contains(line, "headless") || strings.Contains(line, "missing") {
			t.Error(line)
		}
	}
}
