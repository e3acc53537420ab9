package kube

import (
	"cmp"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

// table holds all objects of one kind, by namespace and name.
type table[T any] struct {
	held    map[zone.Key]*T
	listed  bool // a whole list has been received
	equal   func(a, b *T) bool
	replace func(txn *zone.Txn, old, now *T)
}

func newTable[T any](equal func(a, b *T) bool, replace func(txn *zone.Txn, old, now *T)) *table[T] {
	return &table[T]{held: make(map[zone.Key]*T), equal: equal, replace: replace}
}

// put holds an object under key, or none if it is nil. One that is equal to the
// one held is dropped: it is no change.
func (t *table[T]) put(txn *zone.Txn, key zone.Key, now *T) {
	old := t.held[key]
	switch {
	case old == nil && now == nil:
		return
	case now == nil:
		delete(t.held, key)
	case old != nil && t.equal(old, now):
		return
	default:
		t.held[key] = now
	}
	t.replace(txn, old, now)
}

// sweep removes what is held under any key but these.
func (t *table[T]) sweep(txn *zone.Txn, keys []zone.Key) {
	slices.SortFunc(keys, compareKeys)
	for key := range t.held {
		if _, ok := slices.BinarySearchFunc(keys, key, compareKeys); !ok {
			t.put(txn, key, nil)
		}
	}
}

func compareKeys(a, b zone.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// namespace is a Namespace as DNS sees it: it exists.
type namespace struct{ name string }

func sameNamespace(a, b *namespace) bool { return *a == *b }

func replaceNamespace(txn *zone.Txn, old, now *namespace) {
	if old != nil {
		txn.DeleteNamespace(old.name)
	}
	if now != nil {
		txn.PutNamespace(now.name)
	}
}
