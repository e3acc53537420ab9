package cluster_test

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// A restored snapshot is shown whole until the store's own is whole, which then takes its place in
// one step, with a higher serial.
func TestRestore(t *testing.T) {
	old := clustertest.Snapshot(t, "namespace a\nclusterip a/old 10.0.0.1\nclusterip a/both 10.0.0.2")
	store := cluster.NewStoreAfter(100)
	clustertest.Commit(store, func(txn *cluster.Txn) { txn.PutNamespace("a") })
	store.Restore(old, 50)
	if s := store.Load(); !s.Synced() || s.RestoredAsOf() != 50 || s.Serial() != 101 || s.Counts() != old.Counts() {
		t.Fatalf("restored: synced %v as of %d, serial %d, %+v", s.Synced(), s.RestoredAsOf(), s.Serial(), s.Counts())
	}
	store.Checkpoint(200)
	if s := store.LoadCheckpoint(); s != store.Load() || s.Serial() != 200 || s.RestoredAsOf() != 50 {
		t.Fatalf("checkpoint: serial %d as of %d", s.Serial(), s.RestoredAsOf())
	}

	before := store.Load()
	if !clustertest.Commit(store, func(txn *cluster.Txn) { clustertest.Load(t, txn, "clusterip a/new 10.0.0.3") }) {
		t.Error("a change behind the restored snapshot is none")
	}
	if store.Load() != before || store.Dirty() {
		t.Error("a part of a cluster is shown")
	}
	clustertest.Commit(store, func(txn *cluster.Txn) {
		clustertest.Load(t, txn, "clusterip a/both 10.0.0.2")
		txn.SetSynced()
	})
	s := store.Load()
	for name, want := range map[string]bool{"old": false, "both": true, "new": true} {
		if got := s.Service(cluster.Key{Namespace: "a", Name: name}) != nil; got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	if !s.HasNamespace("a") || s.RestoredAsOf() != 0 || s.Serial() != 200 {
		t.Errorf("as of %d, serial %d", s.RestoredAsOf(), s.Serial())
	}
	store.Checkpoint(200)
	if got := store.Load().Serial(); got != 201 {
		t.Errorf("the serial of the store's own data is %d", got)
	}
	store.Dismiss()
	if !store.Load().Synced() {
		t.Error("what is not restored was dismissed")
	}
}

// A snapshot that is taken back leaves what has grown behind it, and no serial goes back.
func TestDismiss(t *testing.T) {
	store := cluster.NewStoreAfter(100)
	store.Restore(clustertest.Snapshot(t, "clusterip a/old 10.0.0.1"), 50)
	store.Checkpoint(200)
	clustertest.Commit(store, func(txn *cluster.Txn) { clustertest.Load(t, txn, "clusterip a/new 10.0.0.3") })
	store.Dismiss()
	if store.Load().Synced() || store.LoadCheckpoint().Synced() {
		t.Error("the snapshot is still shown")
	}
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	store.Checkpoint(150)
	if s := store.Load(); s.Counts().Services != 1 || s.Serial() != 201 || s.RestoredAsOf() != 0 {
		t.Errorf("%+v, serial %d, as of %d", s.Counts(), s.Serial(), s.RestoredAsOf())
	}
}
