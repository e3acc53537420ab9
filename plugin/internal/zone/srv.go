package zone

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// srvTarget is what SRV records lead to, one for each port (RFC 2782). Without
// ports it has no record, and may have no name.
type srvTarget struct {
	name  string
	addr  netip.Addr // invalid for a name whose addresses are not ours to know
	ports []cluster.Port
}

// srvKey tells SRV records of one owner apart, and the addresses of a target.
type srvKey struct {
	target string
	port   uint16
	addr   netip.Addr
}

// srv adds a record for every port of every target, and the targets' addresses.
func (b *builder) srv(targets []srvTarget) {
	weight := srvWeight(targets)
	seen := map[srvKey]struct{}{}
	first := func(k srvKey) bool {
		_, dup := seen[k]
		seen[k] = struct{}{}
		return !dup
	}
	for _, t := range targets {
		if len(t.ports) == 0 || unsendable(t.name) {
			continue
		}
		for _, p := range t.ports {
			if first(srvKey{target: t.name, port: p.Number}) {
				b.add(&dns.SRV{Hdr: b.header(dns.TypeSRV), Weight: weight, Port: p.Number, Target: t.name})
			}
		}
		if t.addr.IsValid() && first(srvKey{target: t.name, addr: t.addr}) {
			b.extra(b.address(t.name, t.addr))
		}
	}
}

// srvWeight shares a hundred among all pairs of target and port, as stock CoreDNS
// does; a target without ports counts as one.
func srvWeight(targets []srvTarget) uint16 {
	pairs := 0
	for _, t := range targets {
		pairs += max(1, len(t.ports))
	}
	return weightOf(pairs)
}
