package zone

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// D19: whatever is answered differently has another serial: objects that come, change
// or go, Namespaces and the cluster set included, twice within a second too.
func TestD19EveryChangeHasASerial(t *testing.T) {
	store, v, outer := NewStore(), clusterSetView(t), outerView(t, "example.org.")
	commit(store, (*Txn).SetSynced)
	store.Checkpoint(100)
	web, moved := virtual(t, []string{"default/web", "10.3.0.1"}), virtual(t, []string{"default/web", "10.3.0.2"})
	site := &Service{Key: keyOf("default/site"), ExternalIPs: addrsOf(t, "192.0.2.1")}
	slice := sliceOf(t, []string{"default/db", "a", "10.0.0.1"})
	for i, step := range []struct {
		name   string
		change func(*Txn)
	}{
		{"a Namespace comes", func(txn *Txn) { txn.PutNamespace("default") }},
		{"a Service comes", func(txn *Txn) { txn.ReplaceService(nil, web) }},
		{"its ClusterIP changes", func(txn *Txn) { txn.ReplaceService(web, moved) }},
		{"it goes", func(txn *Txn) { txn.ReplaceService(moved, nil) }},
		{"one with an external address comes", func(txn *Txn) { txn.ReplaceService(nil, site) }},
		{"it goes again", func(txn *Txn) { txn.ReplaceService(site, nil) }},
		{"endpoints come", func(txn *Txn) { txn.ReplaceSlice(nil, slice) }},
		{"they go", func(txn *Txn) { txn.ReplaceSlice(slice, nil) }},
		{"a ServiceImport comes", func(txn *Txn) { txn.ReplaceImport(nil, web) }},
		{"its endpoints come", func(txn *Txn) { txn.ReplaceImportSlice(nil, slice) }},
		{"they go again", func(txn *Txn) { txn.ReplaceImportSlice(slice, nil) }},
		{"the ServiceImport goes", func(txn *Txn) { txn.ReplaceImport(web, nil) }},
		{"the Namespace goes", func(txn *Txn) { txn.DeleteNamespace("default") }},
	} {
		commit(store, step.change)
		store.Checkpoint(100) // still the same second
		s, want := store.Load(), uint32(101+i)
		for _, a := range []Answer{ask(t, v, s, "cluster.local. SOA"), ask(t, v, s, "clusterset.local. SOA"), askOuter(t, outer, s, "example.org. SOA")} {
			if soa := a.Records[0].(*dns.SOA); soa.Serial != want {
				t.Errorf("%s: serial %d of %s, want %d", step.name, soa.Serial, soa.Hdr.Name, want)
			}
		}
	}
}

// A serial is the clock's as long as the clock can be trusted.
func TestSerial(t *testing.T) {
	store := NewStore()
	put := func(name string) func() { return func() { commit(store, func(txn *Txn) { txn.PutNamespace(name) }) } }
	for _, step := range []struct {
		name         string
		before       func()
		clock        uint32
		live, frozen uint32
		dirty        bool
	}{
		{"nothing happened", func() {}, 100, 0, 0, false},
		{"not synced", put("a"), 100, 0, 0, true},
		{"synced", func() { commit(store, (*Txn).SetSynced) }, 101, 101, 101, false},
		{"synced twice", func() { commit(store, (*Txn).SetSynced) }, 102, 101, 101, false},
		{"no change", func() {}, 103, 101, 101, false},
		{"change", put("b"), 104, 104, 104, false},
		{"what is there already", put("b"), 105, 104, 104, false},
		{"what is not there goes", func() { commit(store, func(txn *Txn) { txn.DeleteNamespace("x") }) }, 106, 104, 104, false},
		{"clock stands still", put("c"), 104, 105, 105, false},
		{"clock goes back", put("d"), 50, 106, 106, false},
		{"clock is right again", put("e"), 200, 200, 200, false},
	} {
		step.before()
		store.Checkpoint(step.clock)
		if store.Load().Serial() != step.live || store.LoadCheckpoint().Serial() != step.frozen || store.Dirty() != step.dirty {
			t.Errorf("%s: serials %d and %d, dirty %v, want %d, %d, %v", step.name,
				store.Load().Serial(), store.LoadCheckpoint().Serial(), store.Dirty(), step.live, step.frozen, step.dirty)
		}
	}
}

// P1: a store that begins after a serial never gives it, nor a lower one, whatever the
// clock says; look-ups show the next until then.
func TestP1SerialsAfterAnother(t *testing.T) {
	for _, tc := range []struct{ clock, want uint32 }{{100, 101}, {99, 101}, {101, 101}, {107, 107}} {
		store := NewStoreAfter(100)
		commit(store, (*Txn).SetSynced)
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

func commit(store *Store, change func(*Txn)) bool {
	txn := store.Begin()
	change(txn)
	return txn.Commit()
}

// One serial always means the same data, the serial never falls, and it never
// runs ahead of a clock that goes forward.
func TestSerialMeansOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store := newModel(), NewStore()
		commit(store, (*Txn).SetSynced)
		states := map[uint32]string{}
		clock, highest, last := uint32(1000), uint32(0), uint32(0)
		txn := store.Begin()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch one(t, "step", []string{"change", "commit", "checkpoint"}) {
			case "change":
				m.change(t, txn)
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
			text := fingerprint(store.LoadCheckpoint())
			if before, ok := states[serial]; ok && before != text {
				t.Fatalf("serial %d meant\n%s\nand now\n%s", serial, before, text)
			}
			states[serial] = text
		}
	})
}

// A look-up sees a commit at once, but the serial of the last checkpoint.
func TestCheckpointLagsBehind(t *testing.T) {
	store, v := NewStore(), clusterView(t)
	commit(store, func(txn *Txn) { txn.SetSynced(); load(t, txn, "namespace default") })
	store.Checkpoint(testSerial)
	if !commit(store, func(txn *Txn) { load(t, txn, "clusterip default/web 10.3.0.1") }) {
		t.Error("a commit of a change says that there was none")
	}
	if commit(store, func(*Txn) {}) {
		t.Error("an empty commit says that there was a change")
	}
	for s, want := range map[*Snapshot]Result{store.Load(): Success, store.LoadCheckpoint(): NXDomain} {
		if got := ask(t, v, s, "web.default.svc.cluster.local. A").Result; got != want {
			t.Errorf("serial %d: %s, want %s", s.Serial(), resultText[got], resultText[want])
		}
		if got := ask(t, v, s, "cluster.local. SOA").Records[0].(*dns.SOA).Serial; got != testSerial {
			t.Errorf("SOA serial %d", got)
		}
	}
}

// Readers of one snapshot see one state of a Service that is replaced together
// with its slices all the time: both families, and the way back.
func TestReadersSeeOneState(t *testing.T) {
	store, v := NewStore(), clusterView(t)
	states := [][]*Slice{}
	for _, n := range []string{"1", "2", "3"} {
		states = append(states, []*Slice{
			sliceOf(t, []string{"default/db", "four", "sql/tcp/1", "10.0.0." + n + "=h"}),
			sliceOf(t, []string{"default/db", "six", "sql/tcp/1", "2001:db8::" + n + "=h"}),
		})
	}
	replace := func(old, now []*Slice) {
		commit(store, func(txn *Txn) {
			for i := range now {
				txn.ReplaceSlice(old[i], now[i])
			}
		})
	}
	commit(store, func(txn *Txn) { txn.SetSynced(); load(t, txn, "namespace default\nheadless default/db") })
	replace(make([]*Slice, 2), states[0])
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

func checkOneState(t *testing.T, v *View, s *Snapshot) {
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
