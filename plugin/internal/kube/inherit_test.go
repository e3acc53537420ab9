package kube

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// After the first lists there is what they have and nothing else, however far they had come when a state
// was restored. If none had begun, what they have as the state had it is not in memory twice.
func TestInherit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, restored := clustertest.DrawCluster(t)
		want := changed(t, m)
		wr, resources, _ := newTestWriter(Config{})
		began := false
		var rest []change
		for _, list := range listsOf(wr, resources, m) {
			n := rapid.IntRange(0, len(list)).Draw(t, "steps before")
			began = began || n > 0
			for _, c := range list[:n] {
				wr.apply(c)
			}
			rest = append(rest, list[n:]...)
		}
		if !closed(wr.synced) {
			wr.store.Restore(restored, testEpoch)
		}
		wr.apply(func(txn *cluster.Txn) { wr.inherit(txn, restored) })
		for _, c := range rest {
			wr.apply(c)
		}
		got := wr.store.Load()
		if got.RestoredAsOf() != 0 || got.Counts().Services != want.Counts().Services || got.Counts().Addresses != want.Counts().Addresses {
			t.Fatalf("%+v as of %d, want %+v", got.Counts(), got.RestoredAsOf(), want.Counts())
		}
		for _, key := range want.Keys(false) {
			n, before := got.Service(key), restored.Service(key)
			if !sameNode(n, want.Service(key)) {
				t.Errorf("%v: %+v, want %+v", key, n, want.Service(key))
			}
			if !began && sameNode(n, before) && n != before {
				t.Errorf("%v is in memory twice", key)
			}
		}
		for _, a := range clustertest.PoolAddrs {
			if have, expected := ownersOf(got, a), ownersOf(want, a); !slices.Equal(have, expected) {
				t.Errorf("%s is of %v, want %v", a, have, expected)
			}
		}
	})
}

// changed changes a model, and returns a snapshot of it.
func changed(t *rapid.T, m *clustertest.Model) *cluster.Snapshot {
	store := cluster.NewStore()
	txn := store.Begin()
	putAll(m.Services, txn.ReplaceService)
	putAll(m.Slices, txn.ReplaceSlice)
	putAll(m.Imports, txn.ReplaceImport)
	putAll(m.Exports, txn.ReplaceImportSlice)
	putAll(m.Pods, txn.ReplacePod)
	for range rapid.IntRange(0, 10).Draw(t, "later changes") {
		m.Change(t, txn)
	}
	txn.Commit()
	return store.Load()
}

func putAll[T any](objects map[cluster.Key]*T, replace func(old, now *T)) {
	for _, object := range objects {
		replace(nil, object)
	}
}

// listsOf returns the steps of the first lists, of copies of the model's Services and slices.
func listsOf(wr *writer, resources []resource, m *clustertest.Model) (lists [][]change) {
	for _, r := range resources {
		put := func(*cluster.Txn) {}
		switch r.about().name {
		case "services":
			put = func(txn *cluster.Txn) {
				for key, s := range m.Services {
					again := *s
					wr.services.Put(txn, key, &again)
				}
			}
		case "endpointslices":
			put = func(txn *cluster.Txn) {
				for key, s := range m.Slices {
					wr.slices.Put(txn, key, cluster.NewSlice(*s))
				}
			}
		}
		lists = append(lists, []change{r.begin(), put, r.end()})
	}
	return lists
}

func sameNode(a, b *cluster.ServiceNode) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Service.Same(b.Service) && slices.EqualFunc(a.Slices, b.Slices, (*cluster.Slice).Same)
}

// ownersOf returns the keys that each index has for an address.
func ownersOf(s *cluster.Snapshot, a netip.Addr) (all []cluster.Key) {
	for _, index := range []*cluster.AddrIndex{s.ClusterIPs(), s.EndpointAddrs(), s.ExternalAddrs()} {
		var keys []cluster.Key
		for key := range index.At(a) {
			keys = append(keys, *key)
		}
		slices.SortFunc(keys, func(a, b cluster.Key) int { return a.Compare(&b) })
		all = append(append(all, keys...), cluster.Key{})
	}
	return all
}

// Where no list of Services is to come, none are left of the state.
func TestInheritWithoutLists(t *testing.T) {
	restored := clustertest.Snapshot(t, "clusterip shop/gone 10.0.0.9")
	wr, resources, _ := newTestWriter(Config{PublishedOnly: true, Published: publish.Settings{Kinds: publish.Ingresses}})
	wr.store.Restore(restored, testEpoch)
	wr.apply(func(txn *cluster.Txn) { wr.inherit(txn, restored) })
	listAll(wr, resources)
	if s := wr.store.Load(); !s.Synced() || s.Counts().Services != 0 {
		t.Errorf("synced %v, %+v", s.Synced(), s.Counts())
	}
}

// Once a list has begun, its objects are those that the next ones are compared with.
func TestInheritAfterAListHasBegun(t *testing.T) {
	restored := clustertest.Snapshot(t, "clusterip shop/gone 10.0.0.9")
	wr, resources, _ := newTestWriter(Config{})
	services := resources[0]
	wr.apply(services.begin())
	wr.store.Restore(restored, testEpoch)
	wr.apply(func(txn *cluster.Txn) { wr.inherit(txn, restored) })
	wr.apply(services.put(serviceObject("web", "10.0.0.1")))
	wr.apply(services.end())
	if s := wr.store.Load(); s.RestoredAsOf() == 0 || s.Service(cluster.Key{Namespace: "shop", Name: "gone"}) == nil {
		t.Error("the restored state is gone before the last list has ended")
	}
	listAll(wr, resources[1:])
	if s := wr.store.Load(); s.Counts().Services != 1 || s.Service(cluster.Key{Namespace: "shop", Name: "web"}) == nil {
		t.Errorf("%+v", s.Counts())
	}
}

// A list without objects counts as well: what the state has of that kind would stay for ever.
func TestInheritAfterAnEmptyList(t *testing.T) {
	restored := clustertest.Snapshot(t, "clusterip shop/gone 10.0.0.9")
	wr, resources, _ := newTestWriter(Config{})
	list(wr, resources[0])
	wr.store.Restore(restored, testEpoch)
	wr.apply(func(txn *cluster.Txn) { wr.inherit(txn, restored) })
	listAll(wr, resources[1:])
	if s := wr.store.Load(); !s.Synced() || s.RestoredAsOf() != 0 || s.Counts().Services != 0 {
		t.Errorf("synced %v, as of %d, %+v", s.Synced(), s.RestoredAsOf(), s.Counts())
	}
}
