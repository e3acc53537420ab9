package answer

import (
	"iter"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// The difference makes one transfer the other, and is no longer than it must be.
func TestDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store, v := clustertest.NewModel(), cluster.NewStore(), drawView(t)
		clustertest.Commit(store, (*cluster.Txn).SetSynced)
		var kept []*cluster.Snapshot
		for i := range rapid.IntRange(2, 6).Draw(t, "checkpoints") {
			clustertest.Commit(store, func(txn *cluster.Txn) {
				for range rapid.IntRange(0, 20).Draw(t, "changes") {
					m.Change(t, txn)
				}
			})
			store.Checkpoint(uint32(i + 1))
			kept = append(kept, store.LoadCheckpoint())
		}
		before, after := clustertest.One(t, "before", kept), clustertest.One(t, "after", kept)
		for _, o := range v.Origins {
			if !o.Reverse() {
				checkDifference(t, Zones{v}, before, after, o)
			}
		}
		outer := outerView(t, "example.org.")
		outer.Cluster, outer.Headless = v, rapid.Bool().Draw(t, "headless")
		checkDifference(t, outer, before, after, outer.Origins[0])
	})
}

type transferred interface {
	Transfer(s *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR]
	Difference(before, after *cluster.Snapshot, o resolve.Origin) Difference
}

func checkDifference(t *rapid.T, v transferred, before, after *cluster.Snapshot, o resolve.Origin) {
	t.Helper()
	d := v.Difference(before, after, o)
	records := map[string]bool{}
	for rr := range v.Transfer(before, o) {
		records[rr.String()] = true
	}
	for _, rr := range d.Removed {
		if !records[rr.String()] {
			t.Fatalf("removed, but not there: %s", rr)
		}
		delete(records, rr.String())
	}
	for _, rr := range d.Added {
		if records[rr.String()] {
			t.Fatalf("added, but there: %s", rr)
		}
		records[rr.String()] = true
	}
	for rr := range v.Transfer(after, o) {
		if !records[rr.String()] {
			t.Fatalf("not there: %s", rr)
		}
		delete(records, rr.String())
	}
	if len(records) > 0 {
		t.Fatalf("left over: %v", records)
	}
	if isSame := func(rr dns.RR) bool {
		return slices.ContainsFunc(d.Added, func(a dns.RR) bool { return a.String() == rr.String() })
	}; slices.ContainsFunc(d.Removed, isSame) {
		t.Fatalf("removed and added: %v", d)
	}
}

// The distance is what only the first snapshot has.
func TestDistance(t *testing.T) {
	store := cluster.NewStore()
	clustertest.Commit(store, func(txn *cluster.Txn) {
		clustertest.Load(t, txn, "namespace a\nheadless a/db\nslice a/db y 10.0.0.9\nclusterip a/web 10.3.0.1\nimported-headless a/db\npod a p 10.0.0.1,2001:db8::1")
		txn.SetSynced()
	})
	three, one := clustertest.SliceOf(t, []string{"a/db", "x", "10.0.0.1", "10.0.0.2", "10.0.0.3"}), clustertest.SliceOf(t, []string{"a/db", "x", "10.0.0.1"})
	pod := cluster.NewPod(cluster.Pod{Namespace: "a"}, cluster.Profile{}, clustertest.Addrs(t, "10.0.0.2")...)
	clustertest.Commit(store, func(txn *cluster.Txn) {
		txn.ReplaceSlice(nil, three)
		txn.ReplaceImportSlice(nil, three)
		txn.ReplacePod(nil, pod)
	})
	for _, step := range []struct {
		name   string
		change func(*cluster.Txn)
		want   int
	}{
		{"nothing", func(*cluster.Txn) {}, 0},
		{"Service comes", func(txn *cluster.Txn) { clustertest.Load(t, txn, "clusterip a/new 10.3.0.2") }, 1},
		{"slice is replaced", func(txn *cluster.Txn) { txn.ReplaceSlice(three, one) }, 4},
		{"slice comes back", func(txn *cluster.Txn) { txn.ReplaceSlice(one, three) }, 2},
		{"slice goes", func(txn *cluster.Txn) { txn.ReplaceSlice(three, nil) }, 4},
		{"imported slice goes", func(txn *cluster.Txn) { txn.ReplaceImportSlice(three, nil) }, 4},
		{"Pod goes", func(txn *cluster.Txn) { txn.ReplacePod(pod, nil) }, 1},
	} {
		before := store.Load()
		clustertest.Commit(store, step.change)
		if got := before.RetainedObjects(store.Load()); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
}

func TestNextCheckpoint(t *testing.T) {
	store := cluster.NewStore()
	isMade := func(next <-chan struct{}) bool {
		select {
		case <-next:
			return true
		default:
			return false
		}
	}
	first := store.NextCheckpoint()
	store.Checkpoint(1)
	if isMade(first) {
		t.Error("before the first sync")
	}
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	if isMade(first) {
		t.Error("by a commit")
	}
	store.Checkpoint(2)
	if second := store.NextCheckpoint(); !isMade(first) || isMade(second) {
		t.Errorf("first %v, second %v", isMade(first), isMade(second))
	}
}
