// Package table keeps the objects of one kind, and shows what lists and events change of them.
package table

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/keyed"
)

// leastStaged is how many differences a list may always keep back, however few objects
// there are.
const leastStaged = 1024

// Table has all objects of one kind, by their identity.
//
// Every list but the first becomes visible in one step at its end. Otherwise an object that
// is gone and another that now has its address would both be visible until the end. The
// list is compared with the current objects, so only the differences are kept back. The
// table bounds their number by a fraction of its objects; a list with more differences
// becomes visible as it is read from then on.
type Table[K comparable, T any] struct {
	Held      *keyed.Set[K, T] // for others to read: what is visible; it has marks while a list is under way
	Immediate bool             // lists become visible as they are read

	equal   func(a, b *T) bool
	replace func(txn *cluster.Txn, old, now *T)
	listed  bool     // a list has ended
	staged  map[K]*T // differences that the current list keeps back; nil if it keeps none back
}

// New makes an empty table. key returns the key of an object, equal compares two of one key, and replace
// makes a change visible.
func New[K comparable, T any](
	key func(*T) K,
	equal func(a, b *T) bool,
	replace func(txn *cluster.Txn, old, now *T),
) *Table[K, T] {
	return &Table[K, T]{Held: keyed.New(key), equal: equal, replace: replace}
}

// Fresh reports whether the table has no object, and no list has begun.
func (t *Table[K, T]) Fresh() bool { return t.Held.Len() == 0 && !t.Held.Marks() && !t.listed }

// Put stores an object under key, or removes it if now is nil.
func (t *Table[K, T]) Put(txn *cluster.Txn, key K, now *T) {
	if t.staged == nil {
		t.show(txn, key, now)
		return
	}
	t.stage(key, now)
	if len(t.staged) > max(leastStaged, t.Held.Len()/8) {
		t.showStaged(txn)
	}
}

// stage keeps back the difference that an object makes, if it makes one.
func (t *Table[K, T]) stage(key K, now *T) {
	old := t.Held.At(key)
	if old != nil && now != nil {
		t.Held.Mark(key)
	}
	if t.same(old, now) {
		delete(t.staged, key)
		return
	}
	t.staged[key] = now
}

// same reports whether two objects are equal for DNS. Either may be nil.
func (t *Table[K, T]) same(old, now *T) bool {
	if old == nil || now == nil {
		return old == now
	}
	return t.equal(old, now)
}

// show makes a change visible in snapshots. It drops an object that equals the current one.
func (t *Table[K, T]) show(txn *cluster.Txn, key K, now *T) {
	old := t.Held.At(key)
	switch {
	case now == nil && old == nil:
		return
	case now == nil:
		t.Held.Remove(key)
	case t.same(old, now):
		t.Held.Mark(key)
		return
	default:
		t.Held.Put(now)
		t.Held.Mark(key)
	}
	t.replace(txn, old, now)
}

// showStaged makes the kept back differences visible, and from then on every put at once.
func (t *Table[K, T]) showStaged(txn *cluster.Txn) {
	staged := t.staged
	t.staged = nil
	for key, now := range staged {
		t.show(txn, key, now)
	}
}

// Begin begins a list: objects that are not put before its end are gone. It forgets the
// differences that an aborted list has kept back.
func (t *Table[K, T]) Begin() {
	t.Held.ClearMarks()
	if t.staged = nil; t.listed && !t.Immediate {
		t.staged = map[K]*T{}
	}
}

// Sweep ends a list: it removes the objects that were not put. Without a begun list, it
// removes nothing.
func (t *Table[K, T]) Sweep(txn *cluster.Txn) {
	t.listed = true
	for _, key := range t.Held.Unmarked() {
		t.show(txn, key, nil)
	}
	t.showStaged(txn)
}
