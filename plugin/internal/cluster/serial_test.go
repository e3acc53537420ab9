package cluster_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// A serial follows the clock while the clock can be trusted.
func TestSerial(t *testing.T) {
	store := cluster.NewStore()
	put := func(name string) func() {
		return func() { clustertest.Commit(store, func(txn *cluster.Txn) { txn.PutNamespace(name) }) }
	}
	for _, step := range []struct {
		name         string
		before       func()
		clock        uint32
		live, frozen uint32
		dirty        bool
	}{
		{"nothing happened", func() {}, 100, 0, 0, false},
		{"not synced", put("a"), 100, 0, 0, true},
		{"synced", func() { clustertest.Commit(store, (*cluster.Txn).SetSynced) }, 101, 101, 101, false},
		{"synced twice", func() { clustertest.Commit(store, (*cluster.Txn).SetSynced) }, 102, 101, 101, false},
		{"no change", func() {}, 103, 101, 101, false},
		{"change", put("b"), 104, 104, 104, false},
		{"what is there already", put("b"), 105, 104, 104, false},
		{"what is not there goes", func() { clustertest.Commit(store, func(txn *cluster.Txn) { txn.DeleteNamespace("x") }) }, 106, 104, 104, false},
		{"clock stands still", put("c"), 104, 105, 105, false},
		{"clock goes back", put("d"), 50, 106, 106, false},
		{"clock is right again", put("e"), 200, 200, 200, false},
		{"another store was ahead", func() { store.RaiseSerial(300) }, 250, 300, 300, false},
		{"another store was behind", func() { store.RaiseSerial(299) }, 251, 300, 300, false},
		{"change after that", put("f"), 252, 301, 301, false},
	} {
		step.before()
		store.Checkpoint(step.clock)
		if store.Load().Serial() != step.live || store.LoadCheckpoint().Serial() != step.frozen || store.Dirty() != step.dirty {
			t.Errorf("%s: serials %d and %d, dirty %v, want %d, %d, %v", step.name,
				store.Load().Serial(), store.LoadCheckpoint().Serial(), store.Dirty(), step.live, step.frozen, step.dirty)
		}
	}
}

// One serial always means the same data. The serial never falls, and it never runs ahead of
// a clock that goes forward.
func TestSerialMeansOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store := clustertest.NewModel(), cluster.NewStore()
		clustertest.Commit(store, (*cluster.Txn).SetSynced)
		states := map[uint32]string{}
		clock, highest, last := uint32(1000), uint32(0), uint32(0)
		txn := store.Begin()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch clustertest.One(t, "step", []string{"change", "commit", "checkpoint"}) {
			case "change":
				m.Change(t, txn)
			case "commit":
				txn.Commit()
				txn = store.Begin()
			case "checkpoint":
				clock += uint32(rapid.IntRange(-5, 20).Draw(t, "seconds"))
				highest = max(highest+1, clock)
				store.Checkpoint(clock)
			}
			serial := store.LoadCheckpoint().Serial()
			if live := store.Load().Serial(); live != serial || serial < last || serial > highest {
				t.Fatalf("serials %d and %d after %d, at most %d", live, serial, last, highest)
			}
			last = serial
			text := cluster.Fingerprint(store.LoadCheckpoint())
			if before, ok := states[serial]; ok && before != text {
				t.Fatalf("serial %d meant\n%s\nand now\n%s", serial, before, text)
			}
			states[serial] = text
		}
	})
}
