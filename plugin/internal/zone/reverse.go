package zone

import (
	"math"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// pointers is a node of an address: the names of it, as many as there may be.
type pointers func(limit int) (targets []string, whole bool)

// minPointer is the size that a PTR record has at least: a label and a pointer are all
// of its name that is not there already.
const minPointer = recordHead + 2 + 2

func (p pointers) rrset(b *builder, qtype uint16) {
	if qtype != dns.TypePTR {
		return
	}
	targets, whole := p(b.answer.free(b.owner, b.room) / minPointer)
	b.answer.Truncated = b.answer.Truncated || !whole
	for _, target := range targets {
		b.add(&dns.PTR{Hdr: b.header(dns.TypePTR), Ptr: target})
	}
}

// findReverse finds a reverse name: that of an address, or an empty non-terminal
// above addresses.
func (v *View) findReverse(s *cluster.Snapshot, n *dnsname.Name) node {
	p := locateReverse(s, n)
	return v.node(s, &p)
}

// locateReverse does not look whether an address has a name.
func locateReverse(s *cluster.Snapshot, n *dnsname.Name) place {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return place{name: KindReverse}
	case prefix.IsSingleIP():
		return place{kind: atAddress, name: KindReverse, addr: prefix.Addr()}
	case s.ClusterIPs().Covers(prefix) || s.EndpointAddrs().Covers(prefix):
		return place{kind: atEmpty, name: KindReverse}
	}
	return place{name: KindReverse}
}

// findPointer finds the names of an address: that of the Service whose ClusterIP
// it is, else those of the endpoints that have it.
func (v *View) findPointer(s *cluster.Snapshot, a netip.Addr) node {
	origin := v.primary()
	shown := func(n *cluster.ServiceNode) bool {
		return n.Service.Kind != cluster.ExternalName && v.exposes(s, n.Key.Namespace)
	}
	if virtual, _ := s.ServicesAt(s.ClusterIPs(), a, math.MaxInt, shown); len(virtual) > 0 {
		return pointers(func(int) ([]string, bool) { return []string{serviceName(virtual[0], origin)}, true })
	}
	if some, _ := s.ServicesAt(s.EndpointAddrs(), a, 1, shown); len(some) == 0 {
		return nil
	}
	return pointers(func(limit int) ([]string, bool) {
		var targets []string
		owners, whole := s.ServicesAt(s.EndpointAddrs(), a, limit, shown)
		for _, svc := range owners {
			for _, slice := range svc.Slices {
				for e := range slice.WithAddr(a) {
					targets = append(targets, e.Label(v.PodNames)+"."+serviceName(svc, origin))
				}
			}
		}
		return unique(targets), whole
	})
}
