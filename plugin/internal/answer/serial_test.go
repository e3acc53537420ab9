package answer

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// D19: a different answer means a different serial, after any change of an object, a
// Namespace or the cluster set, even twice within a second.
func TestD19EveryChangeHasASerial(t *testing.T) {
	store, v := cluster.NewStore(), clusterSetView(t)
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	store.Checkpoint(100)
	web, moved := clustertest.Virtual(t, []string{"default/web", "10.3.0.1"}), clustertest.Virtual(t, []string{"default/web", "10.3.0.2"})
	site := &cluster.Service{Key: clustertest.KeyOf("default/site"), ExternalIPs: clustertest.Addrs(t, "192.0.2.1")}
	slice := clustertest.SliceOf(t, []string{"default/db", "a", "10.0.0.1"})
	for i, step := range []struct {
		name   string
		change func(*cluster.Txn)
	}{
		{"a Namespace comes", func(txn *cluster.Txn) { txn.PutNamespace("default") }},
		{"a Service comes", func(txn *cluster.Txn) { txn.ReplaceService(nil, web) }},
		{"its ClusterIP changes", func(txn *cluster.Txn) { txn.ReplaceService(web, moved) }},
		{"it goes", func(txn *cluster.Txn) { txn.ReplaceService(moved, nil) }},
		{"one with an external address comes", func(txn *cluster.Txn) { txn.ReplaceService(nil, site) }},
		{"it goes again", func(txn *cluster.Txn) { txn.ReplaceService(site, nil) }},
		{"endpoints come", func(txn *cluster.Txn) { txn.ReplaceSlice(nil, slice) }},
		{"they go", func(txn *cluster.Txn) { txn.ReplaceSlice(slice, nil) }},
		{"a ServiceImport comes", func(txn *cluster.Txn) { txn.ReplaceImport(nil, web) }},
		{"its endpoints come", func(txn *cluster.Txn) { txn.ReplaceImportSlice(nil, slice) }},
		{"they go again", func(txn *cluster.Txn) { txn.ReplaceImportSlice(slice, nil) }},
		{"the ServiceImport goes", func(txn *cluster.Txn) { txn.ReplaceImport(web, nil) }},
		{"the Namespace goes", func(txn *cluster.Txn) { txn.DeleteNamespace("default") }},
	} {
		clustertest.Commit(store, step.change)
		store.Checkpoint(100) // still the same second
		s, want := store.Load(), uint32(101+i)
		for _, a := range []Answer{ask(t, v, s, "cluster.local. SOA"), ask(t, v, s, "clusterset.local. SOA")} {
			if soa := a.Records[0].(*dns.SOA); soa.Serial != want {
				t.Errorf("%s: serial %d of %s, want %d", step.name, soa.Serial, soa.Hdr.Name, want)
			}
		}
	}
}

// P1: a store that begins after a serial never gives it, nor a lower one, whatever the
// clock says; look-ups show the next until then.
func TestP1SerialsAfterAnother(t *testing.T) {
	for _, tc := range []struct{ clock, want uint32 }{{100, 101}, {99, 101}, {101, 101}, {107, 107}} {
		store := cluster.NewStoreAfter(100)
		clustertest.Commit(store, (*cluster.Txn).SetSynced)
		if live := store.Load().Serial(); live != 101 || store.LoadCheckpoint().Synced() {
			t.Errorf("serial %d before the first checkpoint", live)
		}
		store.Checkpoint(tc.clock)
		if got := store.LoadCheckpoint().Serial(); got != tc.want || store.Load().Serial() != got {
			t.Errorf("at %d: serial %d, want %d", tc.clock, got, tc.want)
		}
		store.Checkpoint(200)
		store.Touch()
		store.Checkpoint(tc.clock)
		if got := store.LoadCheckpoint().Serial(); got != tc.want+1 {
			t.Errorf("at %d again: serial %d, want %d", tc.clock, got, tc.want+1)
		}
	}
}

// A look-up sees a commit at once, but the serial of the last checkpoint.
func TestCheckpointLagsBehind(t *testing.T) {
	store, v := cluster.NewStore(), clusterView(t)
	clustertest.Commit(store, func(txn *cluster.Txn) { txn.SetSynced(); clustertest.Load(t, txn, "namespace default") })
	store.Checkpoint(clustertest.Serial)
	if !clustertest.Commit(store, func(txn *cluster.Txn) { clustertest.Load(t, txn, "clusterip default/web 10.3.0.1") }) {
		t.Error("a commit of a change says that there was none")
	}
	if clustertest.Commit(store, func(*cluster.Txn) {}) {
		t.Error("an empty commit says that there was a change")
	}
	for s, want := range map[*cluster.Snapshot]resolve.Result{store.Load(): resolve.Success, store.LoadCheckpoint(): resolve.NXDomain} {
		if got := ask(t, v, s, "web.default.svc.cluster.local. A").Result; got != want {
			t.Errorf("serial %d: %s, want %s", s.Serial(), resultText[got], resultText[want])
		}
		if got := ask(t, v, s, "cluster.local. SOA").Records[0].(*dns.SOA).Serial; got != clustertest.Serial {
			t.Errorf("SOA serial %d", got)
		}
	}
}

// Readers of one snapshot see one state of a Service that is replaced together
// with its slices all the time: both families, and the way back.
func TestReadersSeeOneState(t *testing.T) {
	store, v := cluster.NewStore(), clusterView(t)
	states := [][]*cluster.Slice{}
	for _, n := range []string{"1", "2", "3"} {
		states = append(states, []*cluster.Slice{
			clustertest.SliceOf(t, []string{"default/db", "four", "sql/tcp/1", "10.0.0." + n + "=h"}),
			clustertest.SliceOf(t, []string{"default/db", "six", "sql/tcp/1", "2001:db8::" + n + "=h"}),
		})
	}
	replace := func(old, now []*cluster.Slice) {
		clustertest.Commit(store, func(txn *cluster.Txn) {
			for i := range now {
				txn.ReplaceSlice(old[i], now[i])
			}
		})
	}
	clustertest.Commit(store, func(txn *cluster.Txn) {
		txn.SetSynced()
		clustertest.Load(t, txn, "namespace default\nheadless default/db")
	})
	replace(make([]*cluster.Slice, 2), states[0])
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					checkOneState(t, v, store.Load())
				}
			}
		})
	}
	for i := range 3000 {
		replace(states[i%3], states[(i+1)%3])
		if i%100 == 0 {
			store.Checkpoint(uint32(i))
		}
	}
	close(done)
	readers.Wait()
}

func checkOneState(t *testing.T, v *resolve.View, s *cluster.Snapshot) {
	a := brief(ask(t, v, s, "db.default.svc.cluster.local. A"))
	aaaa := brief(ask(t, v, s, "h.db.default.svc.cluster.local. AAAA"))
	addr, err := netip.ParseAddr(a)
	if err != nil || a[len(a)-1] != aaaa[len(aaaa)-1] {
		t.Errorf("A %s, AAAA %s", a, aaaa)
		return
	}
	if ptr := brief(ask(t, v, s, reverseOf(addr)+" PTR")); ptr != "h.db" {
		t.Errorf("%s leads to %s", a, ptr)
	}
	if got := ask(t, v, s, "_sql._tcp.db.default.svc.cluster.local. SRV"); len(got.Records) != 1 || len(got.Extra) != 2 {
		t.Errorf("SRV: %s", render(got))
	}
}
