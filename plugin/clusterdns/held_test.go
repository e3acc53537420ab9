package clusterdns

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// held stands for watchers that hold the test's cluster so many times.
func held(times int) func() []*cluster.Snapshot {
	s := testStore().Load()
	return func() []*cluster.Snapshot {
		list := make([]*cluster.Snapshot, times)
		for i := range list {
			list[i] = s
		}
		return list
	}
}

func TestHeldBytesAddUp(t *testing.T) {
	size := testStore().Load().Size()
	if size.Services == 0 || size.Namespaces == 0 || size.Addresses == 0 {
		t.Fatalf("the test's cluster takes %+v", size)
	}
	for _, times := range []int{1, 2} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(newHeldBytes(held(times)))
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, m := range families[0].GetMetric() {
			got[m.GetLabel()[0].GetValue()] = int(m.GetGauge().GetValue())
		}
		want := map[string]int{"services": size.Services * times, "namespaces": size.Namespaces * times, "addresses": size.Addresses * times}
		for resource, bytes := range got {
			if bytes != want[resource] {
				t.Errorf("%d bytes of %s, want %d", bytes, resource, want[resource])
			}
		}
		if len(got) != 7 {
			t.Errorf("%v, want seven resources", got)
		}
	}
}

// A process without a watcher says nothing of what it does not hold.
func TestNothingHeld(t *testing.T) {
	if n := testutil.CollectAndCount(newHeldBytes(held(0))); n != 0 {
		t.Errorf("%d series", n)
	}
}
