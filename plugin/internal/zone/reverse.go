package zone

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// pointer is the name of an address.
type pointer struct{ targets []string }

func (p pointer) rrset(b *builder, qtype uint16) {
	if qtype != dns.TypePTR {
		return
	}
	for _, target := range p.targets {
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
	case s.reverse.Covers(prefix):
		return place{kind: atEmpty, name: KindReverse}
	}
	return place{name: KindReverse}
}

// findPointer finds the names of an address: that of the Service whose ClusterIP
// it is, else those of the endpoints that have it.
func (v *View) findPointer(s *Snapshot, a netip.Addr) node {
	var targets []string
	origin := v.primary()
	for _, svc := range s.owners(a) {
		if svc.service.Kind == ExternalName || !v.exposes(s, svc.key.Namespace) {
			continue
		}
		if slices.Contains(svc.service.ClusterIPs, a) {
			return pointer{[]string{svc.name(origin)}}
		}
		for _, slice := range svc.slices {
			for e := range slice.at(a) {
				targets = append(targets, e.label(v.PodNames)+"."+svc.name(origin))
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return pointer{unique(targets)}
}
