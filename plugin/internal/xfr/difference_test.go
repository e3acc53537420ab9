package xfr

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// The difference turns one transfer into the other, and is as short as possible.
func TestDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store, v := clustertest.NewModel(), cluster.NewStore(), answertest.DrawView(t)
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
				checkDifference(t, ClusterZones{v}, before, after, o)
			}
		}
	})
}

func checkDifference(t *rapid.T, z Zones, before, after *cluster.Snapshot, o resolve.Origin) {
	t.Helper()
	removed, added := difference(z, before, after, o)
	records := map[string]bool{}
	for rr := range recordsOf(z, before, o) {
		records[rr.String()] = true
	}
	for _, rr := range removed {
		if !records[rr.String()] {
			t.Fatalf("removed, but not there: %s", rr)
		}
		delete(records, rr.String())
	}
	for _, rr := range added {
		if records[rr.String()] {
			t.Fatalf("added, but there: %s", rr)
		}
		records[rr.String()] = true
	}
	for rr := range recordsOf(z, after, o) {
		if !records[rr.String()] {
			t.Fatalf("not there: %s", rr)
		}
		delete(records, rr.String())
	}
	if len(records) > 0 {
		t.Fatalf("left over: %v", records)
	}
	if isSame := func(rr dns.RR) bool {
		return slices.ContainsFunc(added, func(a dns.RR) bool { return a.String() == rr.String() })
	}; slices.ContainsFunc(removed, isSame) {
		t.Fatalf("removed %v and added %v", removed, added)
	}
}
