package zone

import "slices"

const (
	// fanOut is the number of branches of a tree's node: one hexadecimal digit
	// of the path, which is also one label of an ip6.arpa name.
	fanOut = 16
	// leafSize is the number of entries that a leaf holds before it is split.
	// Larger leaves cost less memory, smaller ones less to copy on a commit.
	leafSize = 16
	// pathDigits is the number of digits of a path.
	pathDigits = 32
)

// path is the way to an entry: a hash of its key, or an address itself.
type path struct{ hi, lo uint64 }

// digit is the i-th hexadecimal digit of a path, from the left.
func (p path) digit(i int) int {
	if i < fanOut {
		return int(p.hi >> (60 - 4*i) & 15)
	}
	return int(p.lo >> (60 - 4*(i-fanOut)) & 15)
}

// hasPrefix says whether p and q agree in their first digits.
func (p path) hasPrefix(q path, digits int) bool {
	for i := range digits {
		if p.digit(i) != q.digit(i) {
			return false
		}
	}
	return true
}

// pathed is a key that knows its way.
type pathed interface {
	comparable
	path() path
}

// owner identifies the transaction that may change a node in place. Nodes of
// another owner, or of a committed transaction, are copied first.
type owner struct{ _ byte }

// entry is a key with its value. The value comes first so that an empty one
// takes no room.
type entry[K pathed, V any] struct {
	value V
	key   K
}

// branch is a node of a tree: children, or a leaf's entries in no order.
type branch[K pathed, V any] struct {
	owner    *owner
	children *[fanOut]*branch[K, V]
	entries  []entry[K, V]
}

// tree is a persistent radix tree with buckets as leaves. A copy of the struct
// is a snapshot: changes made through another copy by another owner do not show.
type tree[K pathed, V any] struct {
	root *branch[K, V]
	size int
}

// get looks a key up.
func (t *tree[K, V]) get(k K) (V, bool) {
	for e := range t.at(k.path()) {
		if e.key == k {
			return e.value, true
		}
	}
	var none V
	return none, false
}

// at iterates over the bucket that a path leads to. It may hold entries of other
// paths, which the caller sorts out by key.
func (t *tree[K, V]) at(p path) func(yield func(*entry[K, V]) bool) {
	return func(yield func(*entry[K, V]) bool) {
		b := t.root
		for depth := 0; b != nil && b.children != nil; depth++ {
			b = b.children[p.digit(depth)]
		}
		if b == nil {
			return
		}
		for i := range b.entries {
			if !yield(&b.entries[i]) {
				return
			}
		}
	}
}

// covers says whether an entry exists whose path begins with the first digits of p.
func (t *tree[K, V]) covers(p path, digits int) bool {
	b := t.root
	for depth := 0; b != nil && b.children != nil; depth++ {
		if depth == digits {
			return true
		}
		b = b.children[p.digit(depth)]
	}
	return b != nil && slices.ContainsFunc(b.entries, func(e entry[K, V]) bool {
		return e.key.path().hasPrefix(p, digits)
	})
}

// all iterates over every entry, in no particular order.
func (t *tree[K, V]) all() func(yield func(K, V) bool) {
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

// put adds an entry or replaces the one with the same key.
func (t *tree[K, V]) put(o *owner, k K, v V) {
	t.size++
	t.root = t.root.put(o, entry[K, V]{v, k}, k.path(), 0, &t.size)
}

func (b *branch[K, V]) put(o *owner, e entry[K, V], p path, depth int, size *int) *branch[K, V] {
	b = b.editable(o)
	if b.children != nil {
		d := p.digit(depth)
		b.children[d] = b.children[d].put(o, e, p, depth+1, size)
		return b
	}
	if i := b.index(e.key); i >= 0 {
		b.entries[i] = e
		*size--
		return b
	}
	b.entries = append(b.entries, e)
	if len(b.entries) > leafSize && depth < pathDigits {
		b.split(o, depth)
	}
	return b
}

// split turns a full leaf into a node of leaves. Each is given just the room it
// needs: most of them are never added to again.
func (b *branch[K, V]) split(o *owner, depth int) {
	var counts [fanOut]int
	for i := range b.entries {
		counts[b.entries[i].key.path().digit(depth)]++
	}
	b.children = new([fanOut]*branch[K, V])
	for _, e := range b.entries {
		d := e.key.path().digit(depth)
		if b.children[d] == nil {
			b.children[d] = &branch[K, V]{owner: o, entries: make([]entry[K, V], 0, counts[d])}
		}
		b.children[d].entries = append(b.children[d].entries, e)
	}
	b.entries = nil
}

// remove deletes the entry with the key, if there is one.
func (t *tree[K, V]) remove(o *owner, k K) {
	if _, ok := t.get(k); !ok {
		return
	}
	t.size--
	t.root = t.root.remove(o, k, k.path(), 0)
}

// remove returns nil for a node that has become empty, so that covers can trust
// that every node leads to an entry.
func (b *branch[K, V]) remove(o *owner, k K, p path, depth int) *branch[K, V] {
	b = b.editable(o)
	if b.children == nil {
		i := b.index(k)
		b.entries = slices.Delete(b.entries, i, i+1)
		if len(b.entries) == 0 {
			return nil
		}
		return b
	}
	d := p.digit(depth)
	b.children[d] = b.children[d].remove(o, k, p, depth+1)
	if *b.children == [fanOut]*branch[K, V]{} {
		return nil
	}
	return b
}

// editable is the node itself if the owner made it, else a copy of it.
func (b *branch[K, V]) editable(o *owner) *branch[K, V] {
	if b == nil {
		return &branch[K, V]{owner: o}
	}
	if b.owner == o {
		return b
	}
	c := &branch[K, V]{owner: o, entries: slices.Clone(b.entries)}
	if b.children != nil {
		children := *b.children
		c.children = &children
	}
	return c
}

func (b *branch[K, V]) index(k K) int {
	return slices.IndexFunc(b.entries, func(e entry[K, V]) bool { return e.key == k })
}
