package zone

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
)

// seed makes the shape of the trees unpredictable, so that nobody can choose
// names that end in one leaf.
var seed = maphash.MakeSeed()

// path of a Service is a hash of its key.
func (k Key) path() path {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(k.Namespace)
	h.WriteByte('.')
	h.WriteString(k.Name)
	return path{hi: h.Sum64()}
}

// namespace is the name of a Namespace as a tree's key.
type namespace string

func (n namespace) path() path { return path{hi: maphash.String(seed, string(n))} }

// located4 and located6 are something that has an address. One address may have
// many of them. There is one for each address of the cluster, so it is no larger
// than its family asks for: a netip.Addr takes 24 bytes.
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

// path is the address itself, from the left, so that the addresses below a node
// of the tree are those of a prefix.
func (l located4[T]) path() path {
	return path{hi: uint64(binary.BigEndian.Uint32(l.addr[:])) << 32}
}

func (l located6[T]) path() path {
	return path{binary.BigEndian.Uint64(l.addr[:8]), binary.BigEndian.Uint64(l.addr[8:])}
}

// addrIndex finds things by address. The families have a tree each because
// their paths would run into each other.
type addrIndex[T comparable] struct {
	v4 tree[located4[T], struct{}]
	v6 tree[located6[T], struct{}]
}

// size is the number of pairs of an address and what has it.
func (x *addrIndex[T]) size() int { return x.v4.size + x.v6.size }

func (x *addrIndex[T]) add(o *owner, a netip.Addr, ref T) {
	if a.Is4() {
		x.v4.put(o, located4[T]{a.As4(), ref}, struct{}{})
	} else {
		x.v6.put(o, located6[T]{a.As16(), ref}, struct{}{})
	}
}

func (x *addrIndex[T]) remove(o *owner, a netip.Addr, ref T) {
	if a.Is4() {
		x.v4.remove(o, located4[T]{a.As4(), ref})
	} else {
		x.v6.remove(o, located6[T]{a.As16(), ref})
	}
}

// at iterates over what has the address.
func (x *addrIndex[T]) at(a netip.Addr) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		if a.Is4() {
			l := located4[T]{addr: a.As4()}
			for e := range x.v4.at(l.path()) {
				if e.key.addr == l.addr && !yield(e.key.ref) {
					return
				}
			}
			return
		}
		l := located6[T]{addr: a.As16()}
		for e := range x.v6.at(l.path()) {
			if e.key.addr == l.addr && !yield(e.key.ref) {
				return
			}
		}
	}
}

// covers says whether any address lies in the prefix, whose length is a
// multiple of four bits.
func (x *addrIndex[T]) covers(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return x.v4.covers(located4[T]{addr: p.Addr().As4()}.path(), p.Bits()/4)
	}
	return x.v6.covers(located6[T]{addr: p.Addr().As16()}.path(), p.Bits()/4)
}

// all iterates over every pair of an address and what has it, in no order.
func (x *addrIndex[T]) all() func(yield func(netip.Addr, T) bool) {
	return func(yield func(netip.Addr, T) bool) {
		for l := range x.v4.all() {
			if !yield(netip.AddrFrom4(l.addr), l.ref) {
				return
			}
		}
		for l := range x.v6.all() {
			if !yield(netip.AddrFrom16(l.addr), l.ref) {
				return
			}
		}
	}
}
