package radix

import (
	"iter"
	"unsafe"
)

// Allocations iterates over the sizes in bytes of the pieces of memory that a tree consists
// of, without the memory that its entries point to.
func (t *Tree[K, V]) Allocations() iter.Seq[int] {
	return func(yield func(int) bool) { t.root.allocations(yield) }
}

func (b *branch[K, V]) allocations(yield func(int) bool) bool {
	if b == nil {
		return true
	}
	if !yield(int(unsafe.Sizeof(*b))) || !yield(cap(b.entries)*int(unsafe.Sizeof(entry[K, V]{}))) {
		return false
	}
	if b.children == nil {
		return true
	}
	for _, c := range b.children {
		if !c.allocations(yield) {
			return false
		}
	}
	return yield(int(unsafe.Sizeof(*b.children)))
}

// Allocations iterates over the sizes in bytes of the pieces of memory that an index
// consists of.
func (x *AddrIndex[T]) Allocations() iter.Seq[int] {
	return func(yield func(int) bool) {
		if x.v4.root.allocations(yield) {
			x.v6.root.allocations(yield)
		}
	}
}
