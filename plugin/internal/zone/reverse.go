package zone

import (
	"math"
	"net/netip"

	"github.com/miekg/dns"

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
func (v *View) findReverse(s *Snapshot, n *dnsname.Name) node {
	p := locateReverse(s, n)
	return v.node(s, &p)
}

// locateReverse does not look whether an address has a name.
func locateReverse(s *Snapshot, n *dnsname.Name) place {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return place{name: KindReverse}
	case prefix.IsSingleIP():
		return place{kind: atAddress, name: KindReverse, addr: prefix.Addr()}
	case s.clusterIPs.Covers(prefix) || s.endpoints.Covers(prefix):
		return place{kind: atEmpty, name: KindReverse}
	}
	return place{name: KindReverse}
}

// findPointer finds the names of an address: that of the Service whose ClusterIP
// it is, else those of the endpoints that have it.
func (v *View) findPointer(s *Snapshot, a netip.Addr) node {
	origin := v.primary()
	shown := func(n *serviceNode) bool {
		return n.service.Kind != ExternalName && v.exposes(s, n.key.Namespace)
	}
	if virtual, _ := s.servicesAt(&s.clusterIPs, a, math.MaxInt, shown); len(virtual) > 0 {
		return pointers(func(int) ([]string, bool) { return []string{virtual[0].name(origin)}, true })
	}
	if some, _ := s.servicesAt(&s.endpoints, a, 1, shown); len(some) == 0 {
		return nil
	}
	return pointers(func(limit int) ([]string, bool) {
		var targets []string
		owners, whole := s.servicesAt(&s.endpoints, a, limit, shown)
		for _, svc := range owners {
			for _, slice := range svc.slices {
				for e := range slice.at(a) {
					targets = append(targets, e.label(v.PodNames)+"."+svc.name(origin))
				}
			}
		}
		return unique(targets), whole
	})
}
