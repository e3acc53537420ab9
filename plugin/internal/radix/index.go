package radix

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"net/netip"
)

// located4 and located6 pair an address with one value that has it; an address may have
// many values. An index has a pair for each address of the cluster, so a pair is no larger
// than its family needs: a netip.Addr would take 24 bytes.
type (
	located4[T comparable] struct {
		addr [4]byte
		ref  T
	}
	located6[T comparable] struct {
		addr [16]byte
		ref  T
	}
)

// Path returns the address itself, from the left, so that the addresses below a node of the
// tree share a prefix.
func (l located4[T]) Path() Path {
	return Path{Hi: uint64(binary.BigEndian.Uint32(l.addr[:])) << 32}
}

func (l located6[T]) Path() Path {
	return Path{binary.BigEndian.Uint64(l.addr[:8]), binary.BigEndian.Uint64(l.addr[8:])}
}

// firstMapped is the first IPv4-mapped IPv6 address.
var firstMapped = netip.AddrFrom16([16]byte{10: 0xff, 11: 0xff})

// AddrIndex finds values by address. Each family has a tree of its own, because their paths
// would overlap.
type AddrIndex[T comparable] struct {
	v4 Tree[located4[T], struct{}]
	v6 Tree[located6[T], struct{}]
}

// Len returns the number of pairs of an address and a value.
func (x *AddrIndex[T]) Len() int { return x.v4.size + x.v6.size }

// HasIPv6 reports whether any address is of IPv6.
func (x *AddrIndex[T]) HasIPv6() bool { return x.v6.size > 0 }

// Add adds a pair of an address and a value.
func (x *AddrIndex[T]) Add(id *TxnID, a netip.Addr, ref T) {
	if a.Is4() {
		x.v4.Put(id, located4[T]{a.As4(), ref}, struct{}{})
	} else {
		x.v6.Put(id, located6[T]{a.As16(), ref}, struct{}{})
	}
}

// Remove removes a pair of an address and a value, if it is there.
func (x *AddrIndex[T]) Remove(id *TxnID, a netip.Addr, ref T) {
	if a.Is4() {
		x.v4.Remove(id, located4[T]{a.As4(), ref})
	} else {
		x.v6.Remove(id, located6[T]{a.As16(), ref})
	}
}

// At iterates over the values of an address. It is small enough to be inlined, so that a loop over
// it allocates nothing. So is AtRandom.
func (x *AddrIndex[T]) At(a netip.Addr) iter.Seq[T] {
	return func(yield func(T) bool) { x.each(a, false, yield) }
}

// AtRandom iterates over the values of an address. If they are more than a leaf holds, it begins
// with a random one and goes on with the first after the last.
func (x *AddrIndex[T]) AtRandom(a netip.Addr) iter.Seq[T] {
	return func(yield func(T) bool) { x.each(a, true, yield) }
}

func (x *AddrIndex[T]) each(a netip.Addr, random bool, yield func(T) bool) {
	if a.Is4() {
		l := located4[T]{addr: a.As4()}
		bucket := x.v4.bucket(l.Path())
		at := begin(len(bucket), random)
		for range bucket {
			if k := &bucket[at].key; k.addr == l.addr && !yield(k.ref) {
				return
			}
			if at++; at == len(bucket) {
				at = 0
			}
		}
		return
	}
	l := located6[T]{addr: a.As16()}
	bucket := x.v6.bucket(l.Path())
	at := begin(len(bucket), random)
	for range bucket {
		if k := &bucket[at].key; k.addr == l.addr && !yield(k.ref) {
			return
		}
		if at++; at == len(bucket) {
			at = 0
		}
	}
}

// begin returns where an iteration over a bucket begins. All entries of a bucket that is larger
// than a leaf have the same address.
func begin(size int, random bool) int {
	if random && size > leafSize {
		return rand.IntN(size)
	}
	return 0
}

// Covers reports whether any address lies in the prefix. The length of the prefix must be a
// multiple of four bits. IPv4 addresses lie in ::ffff:0:0/96 too (RFC 4291 2.5.5.2).
func (x *AddrIndex[T]) Covers(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return x.v4.covers(located4[T]{addr: p.Addr().As4()}.Path(), p.Bits()/4)
	}
	if x.v4.size > 0 && p.Contains(firstMapped) {
		return true
	}
	return x.v6.covers(located6[T]{addr: p.Addr().As16()}.Path(), p.Bits()/4)
}

// All iterates, in no order, over all pairs of an address and a value.
func (x *AddrIndex[T]) All() iter.Seq2[netip.Addr, T] {
	return func(yield func(netip.Addr, T) bool) {
		for l := range x.v4.All() {
			if !yield(netip.AddrFrom4(l.addr), l.ref) {
				return
			}
		}
		for l := range x.v6.All() {
			if !yield(netip.AddrFrom16(l.addr), l.ref) {
				return
			}
		}
	}
}
