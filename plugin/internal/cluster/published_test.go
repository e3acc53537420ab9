package cluster

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

// wire returns a name in wire form; without a dot at its end, without the empty label.
func wire(name string) string {
	var b strings.Builder
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		b.WriteByte(byte(len(label)))
		b.WriteString(label)
	}
	b.WriteByte(0)
	return b.String()
}

// state returns what a snapshot says of a name: nothing, above, or its address.
func state(s *Snapshot, name string) string {
	switch n, exists := s.Published(wire(name)); {
	case !exists:
		return "nothing"
	case n.Published == nil:
		return "above"
	default:
		return fmt.Sprint(n.Published.Addrs[0])
	}
}

// After any changes, a snapshot has the names of a map and those above them, and snapshots from
// before stay as they were.
func TestPublishedIsLikeAMap(t *testing.T) {
	names := []string{"a.", "b.a.", "c.b.a.", "*.a.", "d.c.b.a.", "x.y.a.", "y.a."}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		store, model := NewStore(), map[string]string{}
		for range 300 {
			txn, before, was := store.Begin(), store.Load(), want(names, model)
			for range 1 + random.IntN(3) {
				name := names[random.IntN(len(names))]
				if random.IntN(2) == 0 {
					txn.Publish(wire(name), nil)
					delete(model, name)
					continue
				}
				model[name] = fmt.Sprintf("192.0.2.%d", random.IntN(3))
				txn.Publish(wire(name), &Published{Addrs: []netip.Addr{netip.MustParseAddr(model[name])}})
			}
			txn.Commit()
			if got, want := states(store.Load(), names), want(names, model); got != want {
				t.Fatalf("seed %d: %s, want %s", seed, got, want)
			}
			if got := states(before, names); got != was {
				t.Fatalf("seed %d: the snapshot before changed to %s from %s", seed, got, was)
			}
		}
	}
}

func states(s *Snapshot, names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, name+"="+state(s, name))
	}
	return strings.Join(all, " ")
}

func want(names []string, model map[string]string) string {
	var all []string
	for _, name := range names {
		is := "nothing"
		for other := range model {
			if strings.HasSuffix(other, "."+name) {
				is = "above"
			}
		}
		if addr, ok := model[name]; ok {
			is = addr
		}
		all = append(all, name+"="+is)
	}
	return strings.Join(all, " ")
}

// Names count in the size of a snapshot, in what keeping an old one costs, and make a checkpoint due.
func TestPublishedCounts(t *testing.T) {
	store := NewStore()
	txn := store.Begin()
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(10)
	first := store.Load()
	txn = store.Begin()
	txn.Publish(wire("a.example.org."), &Published{Records: []Record{{Type: 16, Data: "\x03one"}}})
	if !txn.Commit() {
		t.Error("no change")
	}
	if size := store.Load().Size().Published; size == 0 || first.Size().Published != 0 {
		t.Errorf("%d bytes", size)
	}
	if n := store.Load().RetainedObjects(first); n != 4 { // the name, and three above it
		t.Errorf("%d retained", n)
	}
	store.Checkpoint(11)
	if serial := store.Load().Serial(); serial != 11 {
		t.Errorf("serial %d", serial)
	}
	txn = store.Begin()
	txn.Publish(wire("a.example.org."), &Published{Records: []Record{{Type: 16, Data: "\x03one"}}})
	if txn.Commit() {
		t.Error("the same is a change")
	}
}
