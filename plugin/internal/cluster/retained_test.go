package cluster_test

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// RetainedObjects counts what only the first snapshot has.
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
