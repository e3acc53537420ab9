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

// located is something that has an address. One address may have many of them.
type located[T comparable] struct {
	addr netip.Addr
	ref  T
}

func (l located[T]) path() path { return addrPath(l.addr) }

// addrPath is the address itself, from the left, so that the addresses below a
// node of the tree are those of a prefix.
func addrPath(a netip.Addr) path {
	if a.Is4() {
		b := a.As4()
		return path{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}
	}
	b := a.As16()
	return path{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// addrIndex finds things by address. The families have a tree each because
// their paths would run into each other.
type addrIndex[T comparable] struct {
	v4, v6 tree[located[T], struct{}]
}

func (x *addrIndex[T]) family(a netip.Addr) *tree[located[T], struct{}] {
	if a.Is4() {
		return &x.v4
	}
	return &x.v6
}

func (x *addrIndex[T]) add(o *owner, a netip.Addr, ref T) {
	x.family(a).put(o, located[T]{a, ref}, struct{}{})
}

func (x *addrIndex[T]) remove(o *owner, a netip.Addr, ref T) {
	x.family(a).remove(o, located[T]{a, ref})
}

// at iterates over what has the address.
func (x *addrIndex[T]) at(a netip.Addr) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for e := range x.family(a).at(addrPath(a)) {
			if e.key.addr == a && !yield(e.key.ref) {
				return
			}
		}
	}
}

// covers says whether any address lies in the prefix, whose length is a
// multiple of four bits.
func (x *addrIndex[T]) covers(p netip.Prefix) bool {
	return x.family(p.Addr()).covers(addrPath(p.Addr()), p.Bits()/4)
}
