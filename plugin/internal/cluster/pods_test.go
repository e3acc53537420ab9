package cluster_test

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

func TestClient(t *testing.T) {
	store := cluster.NewStore()
	txn := store.Begin()
	pod := func(namespace, name, addrs string, hostNetwork bool) *cluster.Pod {
		p := cluster.NewPod(cluster.Pod{Namespace: namespace, HostNetwork: hostNetwork}, cluster.Profile{Name: name}, clustertest.Addrs(t, addrs)...)
		txn.ReplacePod(nil, p)
		return p
	}
	pod("a", "web", "10.0.0.1,2001:db8::1", false)
	pod("a", "old", "10.0.0.2", false)
	pod("a", "new", "10.0.0.2", false)
	gone := pod("a", "moved", "10.0.0.3", false)
	pod("b", "moved", "10.0.0.3", false)
	pod("a", "proxy", "10.0.0.4", true)
	pod("a", "web-1", "10.0.0.5", false)
	pod("a", "proxy-1", "10.0.0.5", true)
	txn.Commit()
	check := func(addr, namespace, name string) {
		t.Helper()
		c := store.Load().Client(clustertest.Addr(t, addr))
		got := ""
		if c.Pod != nil {
			got = c.Pod.Name
		}
		if c.Namespace != namespace || got != name {
			t.Errorf("%s is %q %q, want %q %q", addr, c.Namespace, got, namespace, name)
		}
	}
	check("10.0.0.1", "", "") // before the first sync
	txn = store.Begin()
	txn.SetSynced()
	txn.Commit()
	check("10.0.0.1", "a", "web")
	check("2001:db8::1", "a", "web")
	check("10.0.0.2", "a", "") // two Pods of one Namespace
	check("10.0.0.3", "", "")  // two Pods of two Namespaces
	check("10.0.0.4", "", "")  // a node
	check("10.0.0.5", "", "")  // also a node
	check("10.0.0.9", "", "")
	txn = store.Begin()
	txn.ReplacePod(gone, nil)
	txn.Commit()
	check("10.0.0.3", "b", "moved")
}
