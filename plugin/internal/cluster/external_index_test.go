package cluster_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// The index of external addresses has the addresses in the Services, and no others.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, now := cluster.NewStore(), map[cluster.Key]*cluster.Service{}
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			key := cluster.Key{Namespace: clustertest.One(t, "namespace", clustertest.PoolNamespaces), Name: clustertest.One(t, "name", clustertest.PoolNames)}
			next := &cluster.Service{Key: key, ExternalIPs: clustertest.Some(t, "addresses", clustertest.PoolAddrs, 4)}
			if rapid.Bool().Draw(t, "remove") {
				next = nil
			}
			if next == nil && now[key] == nil {
				continue
			}
			txn := store.Begin()
			txn.ReplaceService(now[key], next)
			txn.Commit()
			now[key] = next
		}
		s := store.Load()
		for _, a := range clustertest.PoolAddrs {
			var want, got []cluster.Key
			for key, svc := range now {
				if svc != nil && slices.Contains(svc.ExternalIPs, a) {
					want = append(want, key)
				}
			}
			for k := range s.ExternalAddrs().At(a) {
				got = append(got, *k)
			}
			byKey := func(a, b cluster.Key) int { return a.Compare(&b) }
			slices.SortFunc(want, byKey)
			slices.SortFunc(got, byKey)
			if !slices.Equal(got, want) {
				t.Fatalf("%s belongs to %v, want %v", a, got, want)
			}
		}
	})
}
