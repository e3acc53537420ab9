package kube

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/keyed"
)

// leastStaged is how many differences a list may always keep back, however few objects
// there are.
const leastStaged = 1024

// table has all objects of one kind, by their identity.
//
// Every list but the first becomes visible in one step at its end. Otherwise an object that
// is gone and another that now has its address would both be visible until the end. The
// list is compared with the current objects, so only the differences are kept back. The
// table bounds their number by a fraction of its objects; a list with more differences
// becomes visible as it is read from then on.
type table[K comparable, T any] struct {
	held      *keyed.Set[K, T]
	equal     func(a, b *T) bool
	replace   func(txn *cluster.Txn, old, now *T)
	immediate bool // lists become visible as they are read

	listed bool     // a list has ended
	staged map[K]*T // differences that the current list keeps back; nil if it keeps none back
}

func newTable[K comparable, T any](
	key func(*T) K,
	equal func(a, b *T) bool,
	replace func(txn *cluster.Txn, old, now *T),
) *table[K, T] {
	return &table[K, T]{held: keyed.New(key), equal: equal, replace: replace}
}

// put stores an object under key, or removes it if now is nil.
func (t *table[K, T]) put(txn *cluster.Txn, key K, now *T) {
	if t.staged == nil {
		t.show(txn, key, now)
		return
	}
	t.stage(key, now)
	if len(t.staged) > max(leastStaged, t.held.Len()/8) {
		t.showStaged(txn)
	}
}

// stage keeps back the difference that an object makes, if it makes one.
func (t *table[K, T]) stage(key K, now *T) {
	old := t.held.At(key)
	if old != nil && now != nil {
		t.held.Mark(key)
	}
	if t.same(old, now) {
		delete(t.staged, key)
		return
	}
	t.staged[key] = now
}

// same reports whether two objects are equal for DNS. Either may be nil.
func (t *table[K, T]) same(old, now *T) bool {
	if old == nil || now == nil {
		return old == now
	}
	return t.equal(old, now)
}

// show makes a change visible in snapshots. It drops an object that equals the current one.
func (t *table[K, T]) show(txn *cluster.Txn, key K, now *T) {
	old := t.held.At(key)
	switch {
	case now == nil && old == nil:
		return
	case now == nil:
		t.held.Remove(key)
	case t.same(old, now):
		t.held.Mark(key)
		return
	default:
		t.held.Put(now)
		t.held.Mark(key)
	}
	t.replace(txn, old, now)
}

// showStaged makes the kept back differences visible, and from then on every put at once.
func (t *table[K, T]) showStaged(txn *cluster.Txn) {
	staged := t.staged
	t.staged = nil
	for key, now := range staged {
		t.show(txn, key, now)
	}
}

// begin begins a list: objects that are not put before its end are gone. It forgets the
// differences that an aborted list has kept back.
func (t *table[K, T]) begin() {
	t.held.ClearMarks()
	if t.staged = nil; t.listed && !t.immediate {
		t.staged = map[K]*T{}
	}
}

// sweep ends a list: it removes the objects that were not put. Without a begun list, it
// removes nothing.
func (t *table[K, T]) sweep(txn *cluster.Txn) {
	t.listed = true
	for _, key := range t.held.Unmarked() {
		t.show(txn, key, nil)
	}
	t.showStaged(txn)
}

func serviceKey(s *cluster.Service) cluster.Key { return s.Key }
func sliceKey(s *cluster.Slice) cluster.Key     { return cluster.Key{Namespace: s.Namespace, Name: s.Name} }
func podKey(p *cluster.Pod) uint64              { return p.ID }
