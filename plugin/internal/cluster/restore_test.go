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

const published = "\x04shop\x07example\x03org\x00"

// storeOfNames returns a store that shows a restored snapshot with a published name.
func storeOfNames(t *testing.T) *cluster.Store {
	old := cluster.NewStore()
	clustertest.Commit(old, func(txn *cluster.Txn) {
		clustertest.Load(t, txn, "clusterip a/old 10.0.0.1")
		txn.Publish(published, &cluster.Published{Alias: "old."})
		txn.SetSynced()
		txn.SetNamesSynced()
	})
	store := cluster.NewStoreAfter(100)
	store.Restore(old.Load(), 50)
	store.Checkpoint(200)
	return store
}

// aliasOf returns where the name leads.
func aliasOf(s *cluster.Snapshot) string {
	n, _ := s.Published(published)
	if !s.NamesSynced() || n.Published == nil {
		return "none"
	}
	return n.Published.Alias
}

func publishNew(txn *cluster.Txn) { txn.Publish(published, &cluster.Published{Alias: "new."}) }

// Restored names are shown until the store has all of its own, which may take longer than the rest of
// the cluster, and then in one step. Meanwhile the rest changes, and no serial goes back.
func TestRestoreNames(t *testing.T) {
	store := storeOfNames(t)
	if got := aliasOf(store.Load()); got != "old." {
		t.Fatalf("restored: %s", got)
	}
	clustertest.Commit(store, publishNew)
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	clustertest.Commit(store, func(txn *cluster.Txn) { clustertest.Load(t, txn, "clusterip a/new 10.0.0.3") })
	store.Checkpoint(201)
	s := store.Load()
	if got := aliasOf(s); got != "old." || s.Counts().Services != 1 || s.Serial() != 201 || s.RestoredAsOf() != 0 {
		t.Errorf("before the names: %s, %+v, serial %d, as of %d", got, s.Counts(), s.Serial(), s.RestoredAsOf())
	}
	clustertest.Commit(store, (*cluster.Txn).SetNamesSynced)
	s = store.Load()
	if got := aliasOf(s); got != "new." || s.Counts().Services != 1 || s.Serial() != 201 {
		t.Errorf("with the names: %s, %+v, serial %d", got, s.Counts(), s.Serial())
	}
	store.Checkpoint(201)
	clustertest.Commit(store, func(txn *cluster.Txn) { txn.Publish(published, nil) })
	if got := aliasOf(store.Load()); got != "none" || store.LoadCheckpoint().Serial() != 202 {
		t.Errorf("after a change: %s, serial %d", got, store.LoadCheckpoint().Serial())
	}
}

// All at once takes the place of all at once.
func TestRestoreNamesInOneStep(t *testing.T) {
	store := storeOfNames(t)
	clustertest.Commit(store, func(txn *cluster.Txn) {
		publishNew(txn)
		txn.SetNamesSynced()
	})
	if got := aliasOf(store.Load()); got != "old." {
		t.Errorf("names of a part of a cluster are shown: %s", got)
	}
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	if got := aliasOf(store.Load()); got != "new." {
		t.Errorf("the names are %s", got)
	}
}

// Names that are left of a snapshot are taken back without the rest of the cluster.
func TestDismissNames(t *testing.T) {
	store := storeOfNames(t)
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	store.Checkpoint(205)
	store.Dismiss()
	if s := store.Load(); s.NamesSynced() || !s.Synced() || s.Serial() != 205 {
		t.Errorf("names %v, synced %v, serial %d", s.NamesSynced(), s.Synced(), s.Serial())
	}
	clustertest.Commit(store, func(txn *cluster.Txn) {
		publishNew(txn)
		txn.SetNamesSynced()
	})
	store.Checkpoint(205)
	if got := aliasOf(store.LoadCheckpoint()); got != "new." || store.Load().Serial() != 206 {
		t.Errorf("%s, serial %d", got, store.Load().Serial())
	}
}

func TestWithoutNames(t *testing.T) {
	s := storeOfNames(t).Load()
	without := s.WithoutNames()
	if without.NamesSynced() || len(without.PublishedNames()) != 0 || without.Counts() != s.Counts() || aliasOf(s) != "old." {
		t.Errorf("%v, %q", without.NamesSynced(), without.PublishedNames())
	}
}
