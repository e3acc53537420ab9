package zone

import (
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Exists says whether a name in one of the origins exists, whatever it has.
func (v *View) Exists(s *cluster.Snapshot, n *dnsname.Name) bool {
	o := v.origin(n)
	if o == nil {
		return false
	}
	p := v.locate(s, n, o)
	return v.holds(s, &p)
}

// holds reports whether there is anything at a place. Whether an address has a name and
// an alias a target is not known from the place alone.
func (v *View) holds(s *cluster.Snapshot, p *place) bool {
	switch p.kind {
	case nowhere:
		return false
	case atAddress, atAlias:
		return v.node(s, p) != nil
	}
	return true
}

// Outcome returns the result that Lookup comes to, without making a record: Success
// where the name exists, whether or not it has the type. For an alias, last is the name
// that decides the result.
func (v *View) Outcome(s *cluster.Snapshot, n *dnsname.Name, qtype uint16) (r Result, last *dnsname.Name) {
	if v.origin(n) == nil {
		return OutOfZone, n
	}
	if !s.Synced() {
		return NotReady, n
	}
	for hops := 0; hops <= maxChain; hops++ {
		o := v.origin(n)
		if o == nil || n.IsReverse() && hops > 0 {
			return Delegate, n
		}
		p := v.locate(s, n, o)
		target := p.target()
		switch {
		case !v.holds(s, &p):
			return NXDomain, n
		case target == nil || qtype == dns.TypeCNAME || qtype == dns.TypeANY:
			return Success, n
		}
		n = target
	}
	return Success, n // the aliases alone, as Lookup answers where they go in a circle
}

// Reserves says whether names below a Service may be meant as they stand: the
// Namespace does not exist or is not shown, or the Service has been heard of, with
// endpoints or without, published or not.
func (v *View) Reserves(s *cluster.Snapshot, k cluster.Key) bool {
	if !v.exposes(s, k.Namespace) {
		return true
	}
	return s.Knows(k)
}
