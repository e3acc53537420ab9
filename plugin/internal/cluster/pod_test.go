package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

func TestPodAddrs(t *testing.T) {
	for _, tc := range []struct{ addrs, want string }{
		{"10.0.0.1", "[10.0.0.1]"},
		{"2001:db8::1", "[2001:db8::1]"},
		{"10.0.0.1,2001:db8::1", "[10.0.0.1 2001:db8::1]"},
		{"2001:db8::1,10.0.0.1,10.0.0.2", "[10.0.0.1 2001:db8::1 10.0.0.2]"},
	} {
		p := cluster.NewPod(cluster.Pod{}, cluster.Profile{}, clustertest.Addrs(t, tc.addrs)...)
		if got := fmt.Sprint(slices.Collect(p.Addrs())); got != tc.want {
			t.Errorf("%s: %s", tc.addrs, got)
		}
		for range p.Addrs() {
			break
		}
		if !p.SameAddrs(cluster.NewPod(cluster.Pod{}, cluster.Profile{Name: "web"}, clustertest.Addrs(t, tc.addrs)...)) {
			t.Errorf("%s: differs from itself", tc.addrs)
		}
		for _, other := range []string{"10.0.0.9", "2001:db8::9", "10.0.0.1,2001:db8::9"} {
			if p.SameAddrs(cluster.NewPod(cluster.Pod{}, cluster.Profile{}, clustertest.Addrs(t, other)...)) {
				t.Errorf("%s: is no different from %s", tc.addrs, other)
			}
		}
	}
	if p := cluster.NewPod(cluster.Pod{}, cluster.Profile{}); len(slices.Collect(p.Addrs())) != 0 || p.Profile == nil {
		t.Errorf("%+v", p)
	}
}
