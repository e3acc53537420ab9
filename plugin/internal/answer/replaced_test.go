package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// What happens to a Service and its slices one after the other, by name.
func TestReplacedObjects(t *testing.T) {
	const a, ptr = "db.default.svc.cluster.local. A", "1.0.0.10.in-addr.arpa. PTR"
	service := &cluster.Service{Key: clustertest.KeyOf("default/db"), Kind: cluster.Headless}
	virtual := &cluster.Service{Key: clustertest.KeyOf("default/db"), ClusterIPs: clustertest.Addrs(t, "10.3.0.1")}
	first := clustertest.SliceOf(t, strings.Fields("default/db s 10.0.0.1"))
	second := clustertest.SliceOf(t, strings.Fields("default/db s 10.0.0.1 10.0.0.2"))
	moved := clustertest.SliceOf(t, strings.Fields("default/other s 10.0.0.1"))
	store, v := cluster.NewStore(), clusterView(t)
	for _, step := range []struct {
		name   string
		change func(*cluster.Txn)
		a, ptr string
	}{
		{"slice before its service", func(txn *cluster.Txn) { txn.PutNamespace("default"); txn.SetSynced(); txn.ReplaceSlice(nil, first) }, "NXDomain", "NXDomain"},
		{"service", func(txn *cluster.Txn) { txn.ReplaceService(nil, service) }, "10.0.0.1", "10-0-0-1.db"},
		{"larger slice", func(txn *cluster.Txn) { txn.ReplaceSlice(first, second) }, "10.0.0.1 10.0.0.2", "10-0-0-1.db"},
		{"service changes its kind", func(txn *cluster.Txn) { txn.ReplaceService(service, virtual) }, "10.3.0.1", "10-0-0-1.db"},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceService(virtual, service) }, "10.0.0.1 10.0.0.2", "10-0-0-1.db"},
		{"slice moves", func(txn *cluster.Txn) { txn.ReplaceSlice(second, moved) }, "NXDomain", "NXDomain"},
		{"to a service", func(txn *cluster.Txn) {
			txn.ReplaceService(nil, &cluster.Service{Key: moved.Key(), Kind: cluster.Headless})
		}, "NXDomain", "10-0-0-1.other"},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceSlice(moved, first) }, "10.0.0.1", "10-0-0-1.db"},
		{"service goes, slice stays", func(txn *cluster.Txn) { txn.ReplaceService(service, nil) }, "NXDomain", "NXDomain"},
		{"service again", func(txn *cluster.Txn) { txn.ReplaceService(nil, service) }, "10.0.0.1", "10-0-0-1.db"},
		{"slice goes", func(txn *cluster.Txn) { txn.ReplaceSlice(first, nil) }, "NXDomain", "NXDomain"},
		{"slice that was never there goes", func(txn *cluster.Txn) { txn.ReplaceSlice(moved, nil) }, "NXDomain", "NXDomain"},
		{"namespace goes", func(txn *cluster.Txn) { txn.ReplaceSlice(nil, first); txn.DeleteNamespace("default") }, "NXDomain", "NXDomain"},
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
