package cluster

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
)

// Endpoint is one ready address of a slice.
type Endpoint struct {
	Addr netip.Addr
	// Identity is nil for an endpoint that is known by its address alone;
	// equal identities of a slice may be shared.
	Identity *Identity
}

// Identity is what Kubernetes says of an endpoint besides its address.
type Identity struct {
	Hostname     string // the endpoint's DNS label, if it asks for one
	Pod          string // name of the Pod behind it
	TopologyZone string // lower case
}

// Endpoints are endpoints in the order of their addresses. They are what a
// cluster has most of: one that has nothing but an IPv4 address takes four bytes.
type Endpoints struct {
	octets     string      // of the addresses, one behind the other
	wide       bool        // they take 16 each and not 4
	identities []*Identity // of each, or nil if none has any
}

// PackEndpoints sorts a list and packs it. Those of one address keep their order.
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

// Len is the number of endpoints.
func (p *Endpoints) Len() int { return len(p.octets) / p.width() }

// At is the i-th endpoint.
func (p *Endpoints) At(i int) Endpoint {
	return Endpoint{p.Addr(i), p.Identity(i)}
}

// Identity is that of the i-th endpoint, or nil.
func (p *Endpoints) Identity(i int) *Identity {
	if p.identities == nil {
		return nil
	}
	return p.identities[i]
}

// Addr is the address of the i-th endpoint. IPv4 addresses stand among IPv6 ones
// in the form of RFC 4291 2.5.5.2, which none of those has.
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

// from is the index of the first endpoint whose address is not before a.
func (p *Endpoints) from(a netip.Addr) int {
	return sort.Search(p.Len(), func(i int) bool { return p.Addr(i).Compare(a) >= 0 })
}

// Equal reports whether two lists are the same.
func (p *Endpoints) Equal(other *Endpoints) bool {
	return p.octets == other.octets && p.wide == other.wide &&
		slices.EqualFunc(p.identities, other.identities, func(a, b *Identity) bool {
			return a == b || a != nil && b != nil && *a == *b
		})
}
