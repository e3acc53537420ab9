package cluster_test

import (
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// BenchmarkCommitOneEndpoint moves one endpoint of the reference cluster to
// another address and back, each in a commit of its own.
func BenchmarkCommitOneEndpoint(b *testing.B) {
	store := clustertest.RefStore(clustertest.RefServices, false, true)
	const service = clustertest.RefServices / 2
	versions := [2]*cluster.Slice{clustertest.RefSlice(service, service*clustertest.RefEndpoints, false)}
	other, list := *versions[0], slices.Collect(versions[0].Endpoints.All())
	list[0].Addr = clustertest.RefAddr(12, 0)
	other.Endpoints = cluster.PackEndpoints(list)
	versions[1] = cluster.NewSlice(other)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		txn := store.Begin()
		txn.ReplaceSlice(versions[i%2], versions[(i+1)%2])
		txn.Commit()
		i++
	}
}

// BenchmarkModel builds the reference cluster and reports how much heap it takes.
func BenchmarkModel(b *testing.B) {
	for _, bc := range []struct {
		name         string
		pods, atOnce bool
	}{{"Addresses", false, true}, {"Pods", true, true}, {"OneByOne", false, false}} {
		b.Run(bc.name, func(b *testing.B) {
			var store *cluster.Store
			before := clustertest.Heap()
			for b.Loop() {
				store = clustertest.RefStore(clustertest.RefServices, bc.pods, bc.atOnce)
			}
			live := clustertest.Heap() - before
			if got := store.Load().Counts().Services; got != clustertest.RefServices {
				b.Fatal(got)
			}
			b.ReportMetric(float64(live)/(clustertest.RefServices*clustertest.RefEndpoints), "B/endpoint")
			b.ReportMetric(float64(live)/(1<<20), "MiB")
		})
	}
}

func BenchmarkSize(b *testing.B) {
	s := clustertest.RefStore(clustertest.RefServices, true, true).Load()
	for b.Loop() {
		s.Size()
	}
}
