package table

import (
	"fmt"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// newNames returns a table of Services, and the number of changes that it has shown.
func newNames() (*Table[string, cluster.Service], *int) {
	shown := new(int)
	key := func(s *cluster.Service) string { return s.Name }
	return New(key, (*cluster.Service).Same, func(*cluster.Txn, *cluster.Service, *cluster.Service) { *shown++ }), shown
}

// list puts the objects with some numbers.
func (t *Table[K, T]) list(from, to int, make func(i int) (K, *T)) {
	for i := from; i < to; i++ {
		key, object := make(i)
		t.Put(nil, key, object)
	}
}

func service(i int) (string, *cluster.Service) {
	name := fmt.Sprint("s", i)
	return name, &cluster.Service{Key: cluster.Key{Namespace: "shop", Name: name}}
}

// Every list but the first is shown at its end, and only what it changes.
func TestList(t *testing.T) {
	names, shown := newNames()
	for i, tc := range []struct{ from, to, during, after int }{
		{0, 3, 3, 3},
		{0, 3, 3, 3},
		{2, 5, 3, 7},
		{9, 9, 7, 10},
	} {
		names.Begin()
		names.list(tc.from, tc.to, service)
		if *shown != tc.during {
			t.Errorf("list %d shows %d changes before its end, want %d", i, *shown, tc.during)
		}
		if names.Sweep(nil); *shown != tc.after || names.Held.Len() != tc.to-tc.from {
			t.Errorf("list %d: %d changes and %d objects, want %d and %d", i, *shown, names.Held.Len(), tc.after, tc.to-tc.from)
		}
	}
}

// The memory for differences is bounded. A list with more of them shows them as it is read.
func TestManyDifferences(t *testing.T) {
	names, shown := newNames()
	names.Sweep(nil)
	names.Begin()
	names.list(0, leastStaged, service)
	if len(names.staged) != leastStaged || *shown != 0 {
		t.Errorf("%d are kept back and %d shown", len(names.staged), *shown)
	}
	names.list(leastStaged, leastStaged+2, service)
	if names.staged != nil || *shown != leastStaged+2 {
		t.Errorf("%d are kept back and %d shown", len(names.staged), *shown)
	}
}

// An immediate table keeps nothing back.
func TestImmediate(t *testing.T) {
	names, shown := newNames()
	names.Immediate = true
	names.Sweep(nil)
	names.Begin()
	names.list(0, 3, service)
	if *shown != 3 {
		t.Errorf("%d shown", *shown)
	}
}
