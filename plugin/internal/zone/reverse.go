package zone

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// The reverse trees in wire form (RFC 1035 3.5, RFC 3596 2.5).
const (
	reverse4 = "\x07in-addr\x04arpa\x00"
	reverse6 = "\x03ip6\x04arpa\x00"
	arpa     = "\x04arpa\x00"
)

func isReverse(n *Name) bool {
	return n.count >= 2 && (n.tail(2) == reverse4 || n.tail(2) == reverse6)
}

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
func (v *View) findReverse(s *Snapshot, n *Name) node {
	p := locateReverse(s, n)
	return v.node(s, &p)
}

// locateReverse does not look whether an address has a name.
func locateReverse(s *Snapshot, n *Name) place {
	prefix, ok := reversePrefix(n)
	switch {
	case !ok:
		return place{name: KindReverse}
	case prefix.IsSingleIP():
		return place{kind: atAddress, name: KindReverse, addr: prefix.Addr()}
	case s.reverse.covers(prefix):
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

// reversePrefix is what a reverse name stands for: an address, or, if it is
// short of labels, the prefix of the addresses below it.
func reversePrefix(n *Name) (netip.Prefix, bool) {
	labels := n.count - 2
	if n.tail(2) == reverse4 {
		return reversePrefix4(n, labels)
	}
	return reversePrefix6(n, labels)
}

func reversePrefix4(n *Name, labels int) (netip.Prefix, bool) {
	var b [4]byte
	if labels > len(b) {
		return netip.Prefix{}, false
	}
	for i := range labels {
		octet, ok := parseOctet(n.label(labels - 1 - i))
		if !ok {
			return netip.Prefix{}, false
		}
		b[i] = octet
	}
	return netip.PrefixFrom(netip.AddrFrom4(b), labels*8), true
}

func reversePrefix6(n *Name, labels int) (netip.Prefix, bool) {
	var b [16]byte
	if labels > 2*len(b) {
		return netip.Prefix{}, false
	}
	for i := range labels {
		label := n.label(labels - 1 - i)
		if len(label) != 1 {
			return netip.Prefix{}, false
		}
		nibble, ok := hexDigit(label[0])
		if !ok {
			return netip.Prefix{}, false
		}
		b[i/2] |= nibble << (4 * (1 - i%2))
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), labels*4), true
}
