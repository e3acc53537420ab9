package answer

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// addresses passes on the addresses of a family, without repetitions.
func (t *visit) addresses(m *resolve.Match, qtype uint16) told {
	if own := ownAddrs(m); len(own) > cluster.Few {
		return t.someOf(own, qtype)
	}
	var buf [cluster.Few * 16]byte
	return t.packed(qtype, packed(m, qtype, buf[:0]))
}

// ownAddrs returns the addresses of a Service itself or of a published name, nil for other matches.
func ownAddrs(m *resolve.Match) []netip.Addr {
	switch m.Kind {
	case resolve.AtClusterIP:
		return m.Service.Service.ClusterIPs
	case resolve.AtExternalIP:
		return m.Service.Service.ExternalIPs
	case resolve.AtPublished, resolve.AtApex:
		return m.Published.Addrs
	}
	return nil
}

// someOf passes on as many addresses of a long list as fit. Lists of one family are not packed as a
// whole.
func (t *visit) someOf(addrs []netip.Addr, qtype uint16) told {
	most := max(0, t.free) / (recordHead + addressSize(qtype))
	other := func(a netip.Addr) bool { return addressType(a) != qtype }
	if len(addrs) <= most || slices.ContainsFunc(addrs, other) {
		return t.packed(qtype, packAll(nil, addrs, qtype))
	}
	which := newSample(len(addrs), most, t.limits.Random)
	chosen := make([]byte, 0, most*addressSize(qtype))
	for range most {
		chosen = packAddr(chosen, addrs[which.next()])
	}
	t.cut()
	t.packed(qtype, chosen)
	return toldSome
}

// packed passes on packed addresses.
func (t *visit) packed(qtype uint16, packed []byte) told {
	if len(packed) == 0 {
		return toldNothing
	}
	size := addressSize(qtype)
	count := len(packed) >> addressBits(qtype) // a division would take as long as all the rest
	which := sample{total: count, count: count}
	if count*(recordHead+size) > t.free {
		which = newSample(count, max(0, t.free)/(recordHead+size), t.limits.Random)
		t.cut()
	}
	if t.wire != nil {
		t.wire.addresses(qtype, packed, size, &which, t.limits)
	} else {
		t.records.addresses(qtype, packed, size, &which)
	}
	return toldSome
}

// packed appends the addresses of a type's family at a match, without repetitions.
func packed(m *resolve.Match, qtype uint16, buf []byte) []byte {
	switch m.Kind {
	case resolve.AtPod:
		return packOnce(buf, m.Addr, qtype)
	case resolve.AtClusterIP, resolve.AtExternalIP, resolve.AtPublished, resolve.AtApex:
		return packAll(buf, ownAddrs(m), qtype)
	}
	if m.Subset.Labels() {
		if all, ok := packLabelled(m, qtype, buf); ok {
			return all
		}
	}
	return cacheOf(m.Service).addressesOf(m.Service, &m.Subset).of(qtype)
}

// packLabelled packs the addresses of the endpoints with one label, if they are few.
func packLabelled(m *resolve.Match, qtype uint16, buf []byte) ([]byte, bool) {
	seen := 0
	for _, slice := range m.Service.Slices {
		if !m.Subset.Holds(slice) {
			continue
		}
		for i := range slice.WithLabel(m.Subset.Name, m.Subset.PodNames) {
			if seen++; seen > cluster.Few {
				return nil, false
			}
			buf = packOnce(buf, slice.Endpoints.Addr(i), qtype)
		}
	}
	return buf, true
}

// packAll appends the addresses of a type's family in a list. A list of more than a few has no
// repetitions; whoever makes it sees to that.
func packAll(packed []byte, addrs []netip.Addr, qtype uint16) []byte {
	if len(addrs) <= cluster.Few {
		for _, a := range addrs {
			packed = packOnce(packed, a, qtype)
		}
		return packed
	}
	for _, a := range addrs {
		if addressType(a) == qtype {
			packed = packAddr(packed, a)
		}
	}
	return packed
}

// packOnce appends an address of the type's family, unless it is already there.
func packOnce(packed []byte, a netip.Addr, qtype uint16) []byte {
	if addressType(a) != qtype {
		return packed
	}
	before := len(packed)
	packed = packAddr(packed, a)
	size := len(packed) - before
	for i := 0; i < before; i += size {
		if string(packed[i:i+size]) == string(packed[before:]) {
			return packed[:before]
		}
	}
	return packed
}

func packAddr(packed []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(packed, b[:]...)
	}
	b := a.As16()
	return append(packed, b[:]...)
}

// addressSize returns the size of an address in a record of the type.
func addressSize(qtype uint16) int {
	if qtype == dns.TypeA {
		return 4
	}
	return 16
}

// addressBits returns the number of bits of an offset in an address of the type.
func addressBits(qtype uint16) int {
	if qtype == dns.TypeA {
		return 2
	}
	return 4
}

// addressType returns the type of an address's record.
func addressType(a netip.Addr) uint16 {
	if a.Is4() {
		return dns.TypeA
	}
	return dns.TypeAAAA
}
