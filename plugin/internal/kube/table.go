package kube

import "github.com/clusterdns/clusterdns/plugin/internal/cluster"

// table holds all objects of one kind, by what identifies them.
type table[K comparable, T any] struct {
	held    *set[K, T]
	equal   func(a, b *T) bool
	replace func(txn *cluster.Txn, old, now *T)
}

func newTable[K comparable, T any](
	key func(*T) K,
	equal func(a, b *T) bool,
	replace func(txn *cluster.Txn, old, now *T),
) *table[K, T] {
	return &table[K, T]{held: newSet(key), equal: equal, replace: replace}
}

// put holds an object under key, or none if it is nil. One that is equal to the
// one held is dropped: it is no change.
func (t *table[K, T]) put(txn *cluster.Txn, key K, now *T) {
	old := t.held.at(key)
	switch {
	case old == nil && now == nil:
		return
	case now == nil:
		t.held.remove(key)
	case old != nil && t.equal(old, now):
		t.held.mark(key)
		return
	default:
		t.held.put(now)
		t.held.mark(key)
	}
	t.replace(txn, old, now)
}

// begin begins a list: what is not put from here on to its end is gone.
func (t *table[K, T]) begin() { t.held.clearMarks() }

// sweep ends a list. One that was never begun has nothing to say.
func (t *table[K, T]) sweep(txn *cluster.Txn) {
	for _, key := range t.held.unmarked() {
		t.put(txn, key, nil)
	}
}

func serviceKey(s *cluster.Service) cluster.Key { return s.Key }
func sliceKey(s *cluster.Slice) cluster.Key     { return cluster.Key{Namespace: s.Namespace, Name: s.Name} }
func podKey(p *cluster.Pod) uint64              { return p.ID }
