package radix

import (
	"iter"
	"net/netip"
)

// Differing iterates, in no order, over the keys that only one of two trees has or that
// have different values. Its cost grows with the branches that the trees do not share.
func Differing[K key, V comparable](a, b *Tree[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) { walkDiffering(a.root, b.root, yield) }
}

// DifferingAddrs iterates, in no order, over the pairs that only one of two indices has.
func DifferingAddrs[T comparable](a, b *AddrIndex[T]) iter.Seq2[netip.Addr, T] {
	return func(yield func(netip.Addr, T) bool) {
		for l := range Differing(&a.v4, &b.v4) {
			if !yield(netip.AddrFrom4(l.addr), l.ref) {
				return
			}
		}
		for l := range Differing(&a.v6, &b.v6) {
			if !yield(netip.AddrFrom16(l.addr), l.ref) {
				return
			}
		}
	}
}

func walkDiffering[K key, V comparable](a, b *branch[K, V], yield func(K) bool) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.children == nil || b.children == nil {
		return compareEntries(a, b, yield)
	}
	for i := range a.children {
		if !walkDiffering(a.children[i], b.children[i], yield) {
			return false
		}
	}
	return true
}

// compareEntries compares all entries below two nodes, where one or both may be leaves or
// nil.
func compareEntries[K key, V comparable](a, b *branch[K, V], yield func(K) bool) bool {
	rest := map[K]V{}
	a.walk(func(k K, v V) bool {
		rest[k] = v
		return true
	})
	more := b.walk(func(k K, v V) bool {
		was, both := rest[k]
		delete(rest, k)
		return both && was == v || yield(k)
	})
	for k := range rest {
		more = more && yield(k)
	}
	return more
}
