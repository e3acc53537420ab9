package metrics

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// testStore returns a store with a Namespace and a Service.
func testStore() *cluster.Store {
	s := cluster.NewStore()
	txn := s.Begin()
	txn.PutNamespace("shop")
	web := cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "web"}, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	txn.ReplaceService(nil, &web)
	txn.SetSynced()
	txn.Commit()
	return s
}

// snapshots returns the snapshots of so many watchers of the test's cluster.
func snapshots(times int) func() []*cluster.Snapshot {
	s := testStore().Load()
	return func() []*cluster.Snapshot {
		list := make([]*cluster.Snapshot, times)
		for i := range list {
			list[i] = s
		}
		return list
	}
}

func TestMemoryAddsUp(t *testing.T) {
	size := testStore().Load().Size()
	if size.Services == 0 || size.Namespaces == 0 || size.Addresses == 0 {
		t.Fatalf("the test's cluster takes %+v", size)
	}
	for _, times := range []int{1, 2} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(newMemoryCollector(snapshots(times)))
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "coredns_clusterdns_held_bytes" })
		for _, m := range families[i].GetMetric() {
			got[m.GetLabel()[0].GetValue()] = int(m.GetGauge().GetValue())
		}
		want := map[string]int{"services": size.Services * times, "namespaces": size.Namespaces * times, "addresses": size.Addresses * times}
		for resource, bytes := range got {
			if bytes != want[resource] {
				t.Errorf("%d bytes of %s, want %d", bytes, resource, want[resource])
			}
		}
		if len(got) != 8 {
			t.Errorf("%v, want eight resources", got)
		}
	}
}

// A process without a watcher exports no series.
func TestNothingHeld(t *testing.T) {
	if n := testutil.CollectAndCount(newMemoryCollector(snapshots(0))); n != 0 {
		t.Errorf("%d series", n)
	}
}

// A headless Service without a slice shows, a slice without endpoints is enough, and a Service with
// a ClusterIP needs none.
func TestHeadlessWithoutSlices(t *testing.T) {
	s := testStore()
	txn := s.Begin()
	for _, name := range []string{"db", "cache", "bare"} {
		txn.ReplaceService(nil, &cluster.Service{Key: cluster.Key{Namespace: "shop", Name: name}, Kind: cluster.Headless})
	}
	for _, name := range []string{"db", "cache", "unknown"} {
		txn.ReplaceSlice(nil, cluster.NewSlice(cluster.Slice{Namespace: "shop", Name: name + "-x", Service: name}))
	}
	txn.Commit()
	c := newMemoryCollector(func() []*cluster.Snapshot { return []*cluster.Snapshot{s.Load(), s.Load()} })
	want := "# HELP coredns_clusterdns_headless_without_slices Number of headless Services that no EndpointSlice is held of. Kubernetes makes one for each Service with a selector.\n" +
		"# TYPE coredns_clusterdns_headless_without_slices gauge\ncoredns_clusterdns_headless_without_slices 2\n"
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "coredns_clusterdns_headless_without_slices"); err != nil {
		t.Error(err)
	}
}

// One watcher that does not know its cluster yet is enough: some question gets no answer.
func TestSynced(t *testing.T) {
	whole, begun := testStore(), cluster.NewStore()
	for _, tc := range []struct {
		stores []*cluster.Store
		want   string
	}{
		{[]*cluster.Store{whole}, "1"},
		{[]*cluster.Store{whole, begun}, "0"},
		{[]*cluster.Store{begun}, "0"},
	} {
		c := newMemoryCollector(func() (list []*cluster.Snapshot) {
			for _, s := range tc.stores {
				list = append(list, s.Load())
			}
			return list
		})
		want := "# HELP coredns_clusterdns_synced Whether the whole cluster is known, so that questions are answered. Without a watch there is no such series.\n" +
			"# TYPE coredns_clusterdns_synced gauge\ncoredns_clusterdns_synced " + tc.want + "\n"
		if err := testutil.CollectAndCompare(c, strings.NewReader(want), "coredns_clusterdns_synced"); err != nil {
			t.Error(err)
		}
	}
}

// A restored snapshot counts, with its age, until the API server's own takes its place.
func TestRestored(t *testing.T) {
	s := cluster.NewStore()
	c := newMemoryCollector(func() []*cluster.Snapshot { return []*cluster.Snapshot{s.Load(), testStore().Load()} })
	c.now = func() time.Time { return time.Unix(1700000090, 0) }
	for _, want := range []struct{ restored, age float64 }{{0, 0}, {1, 90}, {0, 0}} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(c)
		text := fmt.Sprintf("# HELP coredns_clusterdns_restored Number of watches whose data comes from the file of the property state, until the API server has sent its own.\n"+
			"# TYPE coredns_clusterdns_restored gauge\ncoredns_clusterdns_restored %g\n"+
			"# HELP coredns_clusterdns_restored_age_seconds Seconds since the data from the file was true, or 0 if there is none.\n"+
			"# TYPE coredns_clusterdns_restored_age_seconds gauge\ncoredns_clusterdns_restored_age_seconds %g\n", want.restored, want.age)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(text), "coredns_clusterdns_restored", "coredns_clusterdns_restored_age_seconds"); err != nil {
			t.Error(err)
		}
		if want.restored == 0 {
			s.Restore(testStore().Load(), 1700000000)
			continue
		}
		txn := s.Begin()
		txn.SetSynced()
		txn.Commit()
	}
}
