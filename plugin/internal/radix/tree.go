package radix

import (
	"iter"
	"slices"
)

const (
	// fanOut is the number of children of a node: one for each hexadecimal digit of the
	// path, which is also one label of an ip6.arpa name.
	fanOut = 16
	// leafSize is the number of entries at which a leaf is full; one more splits it. Larger
	// leaves take less memory, smaller ones make a commit copy less.
	leafSize = 16
	// pathDigits is the number of hexadecimal digits of a path.
	pathDigits = 32
)

// Path is where a tree keeps an entry: a hash of its key, or an address.
type Path struct{ Hi, Lo uint64 }

// digit returns the i-th hexadecimal digit of a path, from the left.
func (p Path) digit(i int) int {
	if i < fanOut {
		return int(p.Hi >> (60 - 4*i) & 15)
	}
	return int(p.Lo >> (60 - 4*(i-fanOut)) & 15)
}

// hasPrefix reports whether p and q have the same first digits.
func (p Path) hasPrefix(q Path, digits int) bool {
	for i := range digits {
		if p.digit(i) != q.digit(i) {
			return false
		}
	}
	return true
}

// key is a key of a tree.
type key interface {
	comparable
	Path() Path
}

// TxnID identifies the transaction that may change a node in place. A node of any other
// transaction, committed or not, is copied first.
type TxnID struct{ _ byte }

// entry is a key with its value. The value comes first, because Go pads a struct whose last
// field has size zero.
type entry[K key, V any] struct {
	value V
	key   K
}

// branch is a node of a tree: either children, or the entries of a leaf in no order.
type branch[K key, V any] struct {
	txn      *TxnID
	children *[fanOut]*branch[K, V]
	entries  []entry[K, V]
}

// Tree is a persistent radix tree with buckets as leaves. A copy of the struct is a
// snapshot: it does not show the changes that a later transaction makes through another
// copy.
type Tree[K key, V any] struct {
	root *branch[K, V]
	size int
}

// Len returns the number of entries.
func (t *Tree[K, V]) Len() int { return t.size }

// Get returns the value of a key and whether the tree has it.
func (t *Tree[K, V]) Get(k K) (V, bool) {
	for i, bucket := 0, t.bucket(k.Path()); i < len(bucket); i++ {
		if bucket[i].key == k {
			return bucket[i].value, true
		}
	}
	var none V
	return none, false
}

// bucket returns the entries of the leaf to which a path leads. They may have other paths, unless
// they are more than a leaf holds, so the caller must compare keys.
func (t *Tree[K, V]) bucket(p Path) []entry[K, V] {
	b := t.root
	for depth := 0; b != nil && b.children != nil; depth++ {
		b = b.children[p.digit(depth)]
	}
	if b == nil {
		return nil
	}
	return b.entries
}

// covers reports whether the tree has an entry whose path begins with the first digits of
// p.
func (t *Tree[K, V]) covers(p Path, digits int) bool {
	b := t.root
	for depth := 0; b != nil && b.children != nil; depth++ {
		if depth == digits {
			return true
		}
		b = b.children[p.digit(depth)]
	}
	return b != nil && slices.ContainsFunc(b.entries, func(e entry[K, V]) bool {
		return e.key.Path().hasPrefix(p, digits)
	})
}

// All iterates over all entries, in no order.
func (t *Tree[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.walk(yield) }
}

func (b *branch[K, V]) walk(yield func(K, V) bool) bool {
	if b == nil {
		return true
	}
	for i := range b.entries {
		if !yield(b.entries[i].key, b.entries[i].value) {
			return false
		}
	}
	if b.children == nil {
		return true
	}
	for _, c := range b.children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Put adds an entry or replaces the one with the same key.
func (t *Tree[K, V]) Put(id *TxnID, k K, v V) {
	t.size++
	t.root = t.root.put(id, entry[K, V]{v, k}, k.Path(), 0, &t.size)
}

func (b *branch[K, V]) put(id *TxnID, e entry[K, V], p Path, depth int, size *int) *branch[K, V] {
	b = b.editable(id)
	if b.children != nil {
		d := p.digit(depth)
		b.children[d] = b.children[d].put(id, e, p, depth+1, size)
		return b
	}
	if i := b.index(e.key); i >= 0 {
		b.entries[i] = e
		*size--
		return b
	}
	b.entries = append(b.entries, e)
	if len(b.entries) > leafSize && depth < pathDigits {
		b.split(id, depth)
	}
	return b
}

// split turns a full leaf into a node with leaves as children. Each leaf gets only the room
// that it needs, because most leaves never grow again.
func (b *branch[K, V]) split(id *TxnID, depth int) {
	var counts [fanOut]int
	for i := range b.entries {
		counts[b.entries[i].key.Path().digit(depth)]++
	}
	b.children = new([fanOut]*branch[K, V])
	for _, e := range b.entries {
		d := e.key.Path().digit(depth)
		if b.children[d] == nil {
			b.children[d] = &branch[K, V]{txn: id, entries: make([]entry[K, V], 0, counts[d])}
		}
		b.children[d].entries = append(b.children[d].entries, e)
	}
	b.entries = nil
}

// Remove removes the entry with the key, if there is one.
func (t *Tree[K, V]) Remove(id *TxnID, k K) {
	if _, ok := t.Get(k); !ok {
		return
	}
	t.size--
	t.root = t.root.remove(id, k, k.Path(), 0)
}

// remove returns nil for a node that has become empty: covers relies on every node leading
// to an entry.
func (b *branch[K, V]) remove(id *TxnID, k K, p Path, depth int) *branch[K, V] {
	b = b.editable(id)
	if b.children == nil {
		i := b.index(k)
		b.entries = slices.Delete(b.entries, i, i+1)
		if len(b.entries) == 0 {
			return nil
		}
		return b
	}
	d := p.digit(depth)
	b.children[d] = b.children[d].remove(id, k, p, depth+1)
	if *b.children == [fanOut]*branch[K, V]{} {
		return nil
	}
	return b
}

// editable returns the node itself if the transaction made it, or a copy otherwise.
func (b *branch[K, V]) editable(id *TxnID) *branch[K, V] {
	if b == nil {
		return &branch[K, V]{txn: id}
	}
	if b.txn == id {
		return b
	}
	c := &branch[K, V]{txn: id, entries: slices.Clone(b.entries)}
	if b.children != nil {
		children := *b.children
		c.children = &children
	}
	return c
}

func (b *branch[K, V]) index(k K) int {
	return slices.IndexFunc(b.entries, func(e entry[K, V]) bool { return e.key == k })
}
