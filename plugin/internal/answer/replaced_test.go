package answer

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// A sequence of changes of a Service and its slices, by name.
func TestReplacedObjects(t *testing.T) {
	const a, ptr = "db.default.svc.cluster.local. A", "1.0.0.10.in-addr.arpa. PTR"
	service := &cluster.Service{Key: clustertest.KeyOf("default/db"), Kind: cluster.Headless}
	virtual := &cluster.Service{Key: clustertest.KeyOf("default/db"), ClusterIPs: clustertest.Addrs(t, "10.3.0.1")}
	first := clustertest.SliceOf(t, strings.Fields("default/db s 10.0.0.1"))
	second := clustertest.SliceOf(t, strings.Fields("default/db s 10.0.0.1 10.0.0.2"))
	moved := clustertest.SliceOf(t, strings.Fields("default/other s 10.0.0.1"))
	replace(t, clusterView(t), []string{a, ptr}, []replacement{
		{"slice before its service", func(txn *cluster.Txn) { txn.PutNamespace("default"); txn.SetSynced(); txn.ReplaceSlice(nil, first) }, []string{"NXDomain", "NXDomain"}},
		{"service", func(txn *cluster.Txn) { txn.ReplaceService(nil, service) }, []string{"10.0.0.1", "10-0-0-1.db"}},
		{"larger slice", func(txn *cluster.Txn) { txn.ReplaceSlice(first, second) }, []string{"10.0.0.1 10.0.0.2", "10-0-0-1.db"}},
		{"service changes its kind", func(txn *cluster.Txn) { txn.ReplaceService(service, virtual) }, []string{"10.3.0.1", "10-0-0-1.db"}},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceService(virtual, service) }, []string{"10.0.0.1 10.0.0.2", "10-0-0-1.db"}},
		{"slice moves", func(txn *cluster.Txn) { txn.ReplaceSlice(second, moved) }, []string{"NXDomain", "NXDomain"}},
		{"to a service", func(txn *cluster.Txn) {
			txn.ReplaceService(nil, &cluster.Service{Key: moved.Key(), Kind: cluster.Headless})
		}, []string{"NXDomain", "10-0-0-1.other"}},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceSlice(moved, first) }, []string{"10.0.0.1", "10-0-0-1.db"}},
		{"service goes, slice stays", func(txn *cluster.Txn) { txn.ReplaceService(service, nil) }, []string{"NXDomain", "NXDomain"}},
		{"service again", func(txn *cluster.Txn) { txn.ReplaceService(nil, service) }, []string{"10.0.0.1", "10-0-0-1.db"}},
		{"slice goes", func(txn *cluster.Txn) { txn.ReplaceSlice(first, nil) }, []string{"NXDomain", "NXDomain"}},
		{"slice that was never there goes", func(txn *cluster.Txn) { txn.ReplaceSlice(moved, nil) }, []string{"NXDomain", "NXDomain"}},
		{"namespace goes", func(txn *cluster.Txn) { txn.ReplaceSlice(nil, first); txn.DeleteNamespace("default") }, []string{"NXDomain", "NXDomain"}},
	})
}

// A sequence of changes of an import and its slices.
func TestReplacedImports(t *testing.T) {
	const svc = ".default.svc.clusterset.local. A"
	headless := &cluster.Service{Key: clustertest.KeyOf("default/db"), Kind: cluster.Headless}
	virtual := &cluster.Service{Key: clustertest.KeyOf("default/db"), ClusterIPs: clustertest.Addrs(t, "10.4.0.1")}
	first := clustertest.ImportedSlice(t, strings.Fields("east default/db s 10.0.0.1=h"))
	second := clustertest.ImportedSlice(t, strings.Fields("west default/db s 10.0.0.2=h"))
	moved := clustertest.ImportedSlice(t, strings.Fields("east default/other s 10.0.0.1=h"))
	questions := []string{"db" + svc, "east.db" + svc, "h.east.db" + svc, "h.west.db" + svc}
	replace(t, clusterSetView(t), questions, []replacement{
		{"slice before its import", func(txn *cluster.Txn) {
			txn.PutNamespace("default")
			txn.SetSynced()
			txn.ReplaceImportSlice(nil, first)
		}, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
		{"local service", func(txn *cluster.Txn) { txn.ReplaceService(nil, headless) }, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
		{"import", func(txn *cluster.Txn) { txn.ReplaceImport(nil, headless) }, []string{"10.0.0.1", "NoData", "10.0.0.1", "NXDomain"}},
		{"another cluster", func(txn *cluster.Txn) { txn.ReplaceImportSlice(first, second) }, []string{"10.0.0.2", "NXDomain", "NXDomain", "10.0.0.2"}},
		{"type changes", func(txn *cluster.Txn) { txn.ReplaceImport(headless, virtual) }, []string{"10.4.0.1", "NXDomain", "NXDomain", "10.0.0.2"}},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceImport(virtual, headless) }, []string{"10.0.0.2", "NXDomain", "NXDomain", "10.0.0.2"}},
		{"local slice of the same name", func(txn *cluster.Txn) { txn.ReplaceSlice(nil, first) }, []string{"10.0.0.2", "NXDomain", "NXDomain", "10.0.0.2"}},
		{"slice moves", func(txn *cluster.Txn) { txn.ReplaceImportSlice(second, moved) }, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
		{"and back", func(txn *cluster.Txn) { txn.ReplaceImportSlice(moved, first) }, []string{"10.0.0.1", "NoData", "10.0.0.1", "NXDomain"}},
		{"local service goes", func(txn *cluster.Txn) { txn.ReplaceService(headless, nil) }, []string{"10.0.0.1", "NoData", "10.0.0.1", "NXDomain"}},
		{"import goes, slice stays", func(txn *cluster.Txn) { txn.ReplaceImport(headless, nil) }, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
		{"import again", func(txn *cluster.Txn) { txn.ReplaceImport(nil, headless) }, []string{"10.0.0.1", "NoData", "10.0.0.1", "NXDomain"}},
		{"namespace goes", func(txn *cluster.Txn) { txn.DeleteNamespace("default") }, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
		{"slice goes", func(txn *cluster.Txn) {
			txn.PutNamespace("default")
			txn.ReplaceImportSlice(first, nil)
		}, []string{"NXDomain", "NXDomain", "NXDomain", "NXDomain"}},
	})
}

// replacement is a change, with the answers to some questions after it.
type replacement struct {
	name   string
	change func(*cluster.Txn)
	want   []string
}

// replace makes one change after another.
func replace(t *testing.T, v *resolve.View, questions []string, steps []replacement) {
	t.Helper()
	store := cluster.NewStore()
	for _, step := range steps {
		if !clustertest.Commit(store, step.change) {
			t.Errorf("%s: no change", step.name)
		}
		for i, want := range step.want {
			if got := brief(ask(t, v, store.Load(), questions[i])); got != want {
				t.Errorf("%s: %s: %s, want %s", step.name, questions[i], got, want)
			}
		}
	}
}

// brief returns the data of an answer's records, without what all of them share.
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
