package cluster

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
	"sort"
)

// Endpoint is one ready address of an EndpointSlice.
type Endpoint struct {
	Addr netip.Addr
	// Identity is nil for an endpoint that has nothing but an address. Endpoints of one
	// slice may share an Identity.
	Identity *Identity
}

// Identity holds what Kubernetes reports about an endpoint besides its address.
type Identity struct {
	Hostname     string // the endpoint's DNS label, if it asks for one
	Pod          string // name of the Pod behind it
	TopologyZone string // lower case
}

// Endpoints is a list of endpoints in the order of their addresses. A cluster has more
// endpoints than anything else, so they are packed: an endpoint with nothing but an IPv4
// address takes four bytes.
type Endpoints struct {
	octets     string      // the addresses, one after another
	wide       bool        // each address takes 16 octets, not 4
	identities []*Identity // parallel to the addresses, or nil if no endpoint has an identity
}

// PackEndpoints sorts a list in place by address and packs it. Endpoints with the same
// address keep their order.
func PackEndpoints(list []Endpoint) Endpoints {
	slices.SortStableFunc(list, func(a, b Endpoint) int { return a.Addr.Compare(b.Addr) })
	wide := slices.ContainsFunc(list, func(e Endpoint) bool { return !e.Addr.Is4() })
	p := Endpoints{wide: wide}
	octets := make([]byte, 0, len(list)*p.width())
	for _, e := range list {
		if wide {
			b := e.Addr.As16()
			octets = append(octets, b[:]...)
		} else {
			b := e.Addr.As4()
			octets = append(octets, b[:]...)
		}
	}
	p.octets = string(octets)
	if slices.ContainsFunc(list, func(e Endpoint) bool { return e.Identity != nil }) {
		p.identities = make([]*Identity, len(list))
		for i, e := range list {
			p.identities[i] = e.Identity
		}
	}
	return p
}

func (p *Endpoints) width() int {
	if p.wide {
		return 16
	}
	return 4
}

// Len returns the number of endpoints.
func (p *Endpoints) Len() int { return len(p.octets) / p.width() }

// At returns the i-th endpoint.
func (p *Endpoints) At(i int) Endpoint {
	return Endpoint{p.Addr(i), p.Identity(i)}
}

// Identity returns the identity of the i-th endpoint, or nil.
func (p *Endpoints) Identity(i int) *Identity {
	if p.identities == nil {
		return nil
	}
	return p.identities[i]
}

// Addr returns the address of the i-th endpoint. In a list that also has IPv6 addresses,
// IPv4 addresses are stored in IPv4-mapped form (RFC 4291 2.5.5.2); no IPv6 address of an
// endpoint has that form.
func (p *Endpoints) Addr(i int) netip.Addr {
	if p.wide {
		return netip.AddrFrom16([16]byte([]byte(p.octets[16*i:][:16]))).Unmap()
	}
	return netip.AddrFrom4([4]byte([]byte(p.octets[4*i:][:4])))
}

// All iterates over the endpoints in order.
func (p *Endpoints) All() iter.Seq[Endpoint] {
	return func(yield func(Endpoint) bool) {
		for i := range p.Len() {
			if !yield(p.At(i)) {
				return
			}
		}
	}
}

// from returns the index of the first endpoint whose address is not less than a.
func (p *Endpoints) from(a netip.Addr) int {
	if p.wide || !a.Is4() {
		return sort.Search(p.Len(), func(i int) bool { return p.Addr(i).Compare(a) >= 0 })
	}
	octets := a.As4()
	low, high, wanted := 0, len(p.octets)/4, binary.BigEndian.Uint32(octets[:])
	for low < high {
		middle := (low + high) / 2
		if binary.BigEndian.Uint32([]byte(p.octets[4*middle:][:4])) < wanted {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// same reports whether two lists have the same endpoints in the same order.
func (p *Endpoints) same(other *Endpoints) bool {
	return p.octets == other.octets && p.wide == other.wide &&
		slices.EqualFunc(p.identities, other.identities, func(a, b *Identity) bool {
			return a == b || a != nil && b != nil && *a == *b
		})
}
