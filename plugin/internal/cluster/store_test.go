package cluster_test

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// A store has what the model has after every commit, and earlier snapshots see no change.
func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store := clustertest.NewModel(), cluster.NewStore()
		texts := map[*cluster.Snapshot]string{store.Load(): cluster.Fingerprint(store.Load())}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			txn := store.Begin()
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				m.Change(t, txn)
			}
			txn.Commit()
			checkStore(t, m, store.Load())
			texts[store.Load()] = cluster.Fingerprint(store.Load())
		}
		for s, text := range texts {
			if now := cluster.Fingerprint(s); now != text {
				t.Fatalf("a snapshot changed\nfrom:\n%s\nto:\n%s", text, now)
			}
		}
	})
}

func checkStore(t *rapid.T, m *clustertest.Model, s *cluster.Snapshot) {
	t.Helper()
	for _, namespace := range clustertest.PoolNamespaces {
		if s.HasNamespace(namespace) != m.Namespaces[namespace] {
			t.Fatalf("namespace %s: want %v", namespace, m.Namespaces[namespace])
		}
		for _, name := range clustertest.PoolNames {
			key := cluster.Key{Namespace: namespace, Name: name}
			checkNode(t, s.AnyService(key), s.Service(key), key, m.Services[key], m.SlicesOf(key))
			checkNode(t, s.AnyImport(key), s.Import(key), key, m.Imports[key], clustertest.SlicesIn(m.Exports, key))
		}
	}
	addresses := 0
	for _, a := range clustertest.PoolAddrs {
		addresses += checkOwners(t, m, s, a)
		for _, namespace := range clustertest.PoolNamespaces {
			want := false
			for _, p := range m.Pods {
				want = want || p.Namespace == namespace && slices.Contains(slices.Collect(p.Addrs()), a)
			}
			if s.HasPod(a, namespace) != want {
				t.Fatalf("pod %s in %s: want %v", a, namespace, want)
			}
		}
	}
	want := cluster.Counts{Namespaces: len(m.Namespaces), Services: serviceCount(m), Addresses: addresses, PodAddresses: podAddresses(m)}
	if got := s.Counts(); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
}

// serviceCount counts the Services, including those of which only slices exist.
func serviceCount(m *clustertest.Model) int {
	keys := map[cluster.Key]bool{}
	for key := range m.Services {
		keys[key] = true
	}
	for _, s := range m.Slices {
		keys[s.Key()] = true
	}
	return len(keys)
}

func podAddresses(m *clustertest.Model) int {
	count := 0
	for _, p := range m.Pods {
		distinct := map[netip.Addr]bool{}
		for a := range p.Addrs() {
			distinct[a] = true
		}
		count += len(distinct)
	}
	return count
}

// checkNode checks both views of a key: the node of any Service, and that of one that
// exists.
func checkNode(t *rapid.T, n, existing *cluster.ServiceNode, key cluster.Key, service *cluster.Service, list []*cluster.Slice) {
	t.Helper()
	ok := n != nil
	if !ok {
		n = &cluster.ServiceNode{Key: &key}
	}
	if *n.Key != key || n.Service != service || !slices.Equal(n.Slices, list) {
		t.Fatalf("service %v: %v %v", key, n.Service, n.Slices)
	}
	if ok && n.Service == nil && len(n.Slices) == 0 {
		t.Fatalf("nothing is left of %v but its node", key)
	}
	if (existing != nil) != (service != nil) {
		t.Fatalf("service %v is %v", key, existing)
	}
}

// checkOwners compares the indices of an address with a look at every object, and returns
// the number of entries of the address.
func checkOwners(t *rapid.T, m *clustertest.Model, s *cluster.Snapshot, a netip.Addr) int {
	t.Helper()
	entries := 0
	for title, index := range map[string]struct {
		in   *cluster.AddrIndex
		owns func(cluster.Key) bool
	}{
		"ClusterIP": {s.ClusterIPs(), func(k cluster.Key) bool { return m.Services[k] != nil && slices.Contains(m.Services[k].ClusterIPs, a) }},
		"endpoint":  {s.EndpointAddrs(), func(k cluster.Key) bool { return m.EndpointOf(k, a) }},
	} {
		indexed, want := map[cluster.Key]bool{}, map[cluster.Key]bool{}
		before := entries
		for key := range index.in.At(a) {
			indexed[*key] = true
			entries++
		}
		for _, namespace := range clustertest.PoolNamespaces {
			for _, name := range clustertest.PoolNames {
				if key := (cluster.Key{Namespace: namespace, Name: name}); index.owns(key) {
					want[key] = true
				}
			}
		}
		if !maps.Equal(indexed, want) || entries-before != len(want) {
			t.Fatalf("%s %s is indexed under %v in %d entries, want %v", title, a, indexed, entries-before, want)
		}
	}
	return entries
}
