package zone

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// A store holds what the model holds after every commit, and no snapshot taken
// before sees any of it.
func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store := newModel(), NewStore()
		texts := map[*Snapshot]string{store.Load(): fingerprint(store.Load())}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			txn := store.Begin()
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				m.change(t, txn)
			}
			txn.Commit()
			checkStore(t, m, store.Load())
			texts[store.Load()] = fingerprint(store.Load())
		}
		for s, text := range texts {
			if now := fingerprint(s); now != text {
				t.Fatalf("a snapshot changed\nfrom:\n%s\nto:\n%s", text, now)
			}
		}
	})
}

// fingerprint is everything that a snapshot can reach.
func fingerprint(s *Snapshot) string {
	lines := []string{fmt.Sprint(s.synced, s.serial, s.Counts())}
	for name := range s.namespaces.All() {
		lines = append(lines, fmt.Sprint("namespace ", name))
	}
	for kind, tree := range map[string]*radix.Tree[Key, *serviceNode]{"service": &s.services, "import": &s.imports} {
		for key, n := range tree.All() {
			lines = append(lines, fmt.Sprintf("%s %v %v %p", kind, key, n.key, n.service))
			for _, slice := range n.slices {
				lines = append(lines, fmt.Sprintf("%s %v %s %p %v", kind, key, slice.Name, slice, slices.Collect(slice.Endpoints.All())))
			}
		}
	}
	for a, key := range s.clusterIPs.All() {
		lines = append(lines, fmt.Sprint("owner ", a, *key))
	}
	for a, key := range s.endpoints.All() {
		lines = append(lines, fmt.Sprint("host ", a, *key))
	}
	for a, pod := range s.pods.All() {
		lines = append(lines, fmt.Sprintf("pod %s %p", a, pod))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func checkStore(t *rapid.T, m *model, s *Snapshot) {
	t.Helper()
	for _, namespace := range poolNamespaces {
		if s.hasNamespace(namespace) != m.namespaces[namespace] {
			t.Fatalf("namespace %s: want %v", namespace, m.namespaces[namespace])
		}
		for _, name := range poolNames {
			key := Key{namespace, name}
			checkNode(t, &s.services, key, m.services[key], m.slicesOf(key))
			checkNode(t, &s.imports, key, m.imports[key], slicesIn(m.exports, key))
		}
	}
	addresses := 0
	for _, a := range poolAddrs {
		addresses += checkOwners(t, m, s, a)
		for _, namespace := range poolNamespaces {
			want := false
			for _, p := range m.pods {
				want = want || p.Namespace == namespace && slices.Contains(slices.Collect(p.Addrs()), a)
			}
			if s.hasPod(a, namespace) != want {
				t.Fatalf("pod %s in %s: want %v", a, namespace, want)
			}
		}
	}
	want := Counts{Namespaces: len(m.namespaces), Services: serviceCount(m), Addresses: addresses, PodAddresses: podAddresses(m)}
	if got := s.Counts(); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
}

// serviceCount counts Services, and those that only slices tell of.
func serviceCount(m *model) int {
	keys := map[Key]bool{}
	for key := range m.services {
		keys[key] = true
	}
	for _, s := range m.slices {
		keys[s.Key()] = true
	}
	return len(keys)
}

func podAddresses(m *model) int {
	count := 0
	for _, p := range m.pods {
		distinct := map[netip.Addr]bool{}
		for a := range p.Addrs() {
			distinct[a] = true
		}
		count += len(distinct)
	}
	return count
}

func checkNode(t *rapid.T, in *radix.Tree[Key, *serviceNode], key Key, service *Service, list []*Slice) {
	t.Helper()
	n, ok := in.Get(key)
	if !ok {
		n = &serviceNode{key: &key}
	}
	if *n.key != key || n.service != service || !slices.Equal(n.slices, list) {
		t.Fatalf("service %v: %v %v", key, n.service, n.slices)
	}
	if ok && n.service == nil && len(n.slices) == 0 {
		t.Fatalf("nothing is left of %v but its node", key)
	}
	if (existing(in, key) != nil) != (service != nil) {
		t.Fatalf("service %v is %v", key, existing(in, key))
	}
}

// checkOwners compares the indices of an address with a look at every object, and counts
// the entries of the address.
func checkOwners(t *rapid.T, m *model, s *Snapshot, a netip.Addr) int {
	t.Helper()
	entries := 0
	for title, index := range map[string]struct {
		in   *radix.AddrIndex[*Key]
		owns func(Key) bool
	}{
		"ClusterIP": {&s.clusterIPs, func(k Key) bool { return m.services[k] != nil && slices.Contains(m.services[k].ClusterIPs, a) }},
		"endpoint":  {&s.endpoints, func(k Key) bool { return m.endpointOf(k, a) }},
	} {
		indexed, want := map[Key]bool{}, map[Key]bool{}
		before := entries
		for key := range index.in.At(a) {
			indexed[*key] = true
			entries++
		}
		for _, namespace := range poolNamespaces {
			for _, name := range poolNames {
				if key := (Key{namespace, name}); index.owns(key) {
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

// What happens to a Service and its slices one after the other, by name.
func TestReplacedObjects(t *testing.T) {
	const a, ptr = "db.default.svc.cluster.local. A", "1.0.0.10.in-addr.arpa. PTR"
	service := &Service{Key: keyOf("default/db"), Kind: Headless}
	virtual := &Service{Key: keyOf("default/db"), ClusterIPs: addrsOf(t, "10.3.0.1")}
	first := sliceOf(t, strings.Fields("default/db s 10.0.0.1"))
	second := sliceOf(t, strings.Fields("default/db s 10.0.0.1 10.0.0.2"))
	moved := sliceOf(t, strings.Fields("default/other s 10.0.0.1"))
	store, v := NewStore(), clusterView(t)
	for _, step := range []struct {
		name   string
		change func(*Txn)
		a, ptr string
	}{
		{"slice before its service", func(txn *Txn) { txn.PutNamespace("default"); txn.SetSynced(); txn.ReplaceSlice(nil, first) }, "NXDomain", "NXDomain"},
		{"service", func(txn *Txn) { txn.ReplaceService(nil, service) }, "10.0.0.1", "10-0-0-1.db"},
		{"larger slice", func(txn *Txn) { txn.ReplaceSlice(first, second) }, "10.0.0.1 10.0.0.2", "10-0-0-1.db"},
		{"service changes its kind", func(txn *Txn) { txn.ReplaceService(service, virtual) }, "10.3.0.1", "10-0-0-1.db"},
		{"and back", func(txn *Txn) { txn.ReplaceService(virtual, service) }, "10.0.0.1 10.0.0.2", "10-0-0-1.db"},
		{"slice moves", func(txn *Txn) { txn.ReplaceSlice(second, moved) }, "NXDomain", "NXDomain"},
		{"to a service", func(txn *Txn) { txn.ReplaceService(nil, &Service{Key: moved.Key(), Kind: Headless}) }, "NXDomain", "10-0-0-1.other"},
		{"and back", func(txn *Txn) { txn.ReplaceSlice(moved, first) }, "10.0.0.1", "10-0-0-1.db"},
		{"service goes, slice stays", func(txn *Txn) { txn.ReplaceService(service, nil) }, "NXDomain", "NXDomain"},
		{"service again", func(txn *Txn) { txn.ReplaceService(nil, service) }, "10.0.0.1", "10-0-0-1.db"},
		{"slice goes", func(txn *Txn) { txn.ReplaceSlice(first, nil) }, "NXDomain", "NXDomain"},
		{"slice that was never there goes", func(txn *Txn) { txn.ReplaceSlice(moved, nil) }, "NXDomain", "NXDomain"},
		{"namespace goes", func(txn *Txn) { txn.ReplaceSlice(nil, first); txn.DeleteNamespace("default") }, "NXDomain", "NXDomain"},
	} {
		txn := store.Begin()
		step.change(txn)
		txn.Commit()
		for question, want := range map[string]string{a: step.a, ptr: step.ptr} {
			if got := brief(ask(t, v, store.Load(), question)); got != want {
				t.Errorf("%s: %s: %s, want %s", step.name, question, got, want)
			}
		}
	}
}

// brief is the data of an answer's records, without what all of them share.
func brief(a Answer) string {
	if len(a.Records) == 0 {
		return resultText[a.Result]
	}
	var data []string
	for r := range records(a) {
		data = append(data, strings.TrimSuffix(r, ".default.svc.cluster.local."))
	}
	slices.Sort(data)
	return strings.Join(data, " ")
}
