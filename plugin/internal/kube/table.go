package kube

import "github.com/clusterdns/clusterdns/plugin/internal/cluster"

// leastStaged is how many differences a list may keep back, however few objects are held.
const leastStaged = 1024

// table holds all objects of one kind, by what identifies them.
//
// A list that is not the first shows nothing before its end, and then all at once: an
// object that has gone and another that has its address now would be seen together for as
// long as the list takes. What it brings is compared with what is held, so only the
// differences are kept back. Their number is bounded by a part of what is held; a list
// that brings more shows them as they come.
type table[K comparable, T any] struct {
	held      *set[K, T]
	equal     func(a, b *T) bool
	replace   func(txn *cluster.Txn, old, now *T)
	immediate bool // lists show what they bring as it comes

	listed bool     // a list has ended
	staged map[K]*T // what the list under way has changed and does not show yet; nil if it shows all
}

func newTable[K comparable, T any](
	key func(*T) K,
	equal func(a, b *T) bool,
	replace func(txn *cluster.Txn, old, now *T),
) *table[K, T] {
	return &table[K, T]{held: newSet(key), equal: equal, replace: replace}
}

// put holds an object under key, or none if it is nil.
func (t *table[K, T]) put(txn *cluster.Txn, key K, now *T) {
	if t.staged == nil {
		t.show(txn, key, now)
		return
	}
	t.stage(key, now)
	if len(t.staged) > max(leastStaged, t.held.count/8) {
		t.showStaged(txn)
	}
}

// stage keeps back what put changes.
func (t *table[K, T]) stage(key K, now *T) {
	old := t.held.at(key)
	if old != nil && now != nil {
		t.held.mark(key)
	}
	if t.same(old, now) {
		delete(t.staged, key)
		return
	}
	t.staged[key] = now
}

// same reports whether an object is no change to another. Either may be nil.
func (t *table[K, T]) same(old, now *T) bool {
	if old == nil || now == nil {
		return old == now
	}
	return t.equal(old, now)
}

// show changes what snapshots show. An object that is equal to the one held is dropped.
func (t *table[K, T]) show(txn *cluster.Txn, key K, now *T) {
	old := t.held.at(key)
	switch {
	case now == nil && old == nil:
		return
	case now == nil:
		t.held.remove(key)
	case t.same(old, now):
		t.held.mark(key)
		return
	default:
		t.held.put(now)
		t.held.mark(key)
	}
	t.replace(txn, old, now)
}

// showStaged shows what was kept back, and from here on what is put.
func (t *table[K, T]) showStaged(txn *cluster.Txn) {
	staged := t.staged
	t.staged = nil
	for key, now := range staged {
		t.show(txn, key, now)
	}
}

// begin begins a list: what is not put from here on to its end is gone. What a list that
// has broken off has kept back is forgotten.
func (t *table[K, T]) begin() {
	t.held.clearMarks()
	if t.staged = nil; t.listed && !t.immediate {
		t.staged = map[K]*T{}
	}
}

// sweep ends a list. One that was never begun has nothing to say.
func (t *table[K, T]) sweep(txn *cluster.Txn) {
	t.listed = true
	for _, key := range t.held.unmarked() {
		t.show(txn, key, nil)
	}
	t.showStaged(txn)
}

func serviceKey(s *cluster.Service) cluster.Key { return s.Key }
func sliceKey(s *cluster.Slice) cluster.Key     { return cluster.Key{Namespace: s.Namespace, Name: s.Name} }
func podKey(p *cluster.Pod) uint64              { return p.ID }
