package differential

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// externalTransfers are about transfers of the zones of k8s_external, in this order.
var externalTransfers = []transferMatcher{
	{"", ofExternal + "AXFR, IXFR without the `transfer` plugin", notAnswered},
	{"D18", ofExternal + "AXFR of a reverse zone", noZone},
	{"D19", ofExternal + "serial", uncounted},
	{"", ofExternal + "IXFR, NOTIFY", wholeSince},
	{"D22", ofExternal + "TTL of SRV and CNAME records", records(inTime)},
	{"D9", ofExternal + "PTR and transfers of Namespaces", records(withoutHidden)},
	{"D15", ofExternal + "`endpoint_pod_names` and `headless`", records(withoutDots)},
	{"", ofExternal + "AXFR |", records(asLookedUp)},
}

// notAnswered expects a refusal where stock answers as if the question were ordinary.
func notAnswered(_ *pulled, stock *transfer) *transfer {
	if stock.problem != nil && stock.problem.Error() == errNoSOA.Error() {
		return &transfer{problem: errRefused}
	}
	return stock
}

// uncounted expects no news since the last serial. Stock has no serial before a Service has
// changed, and takes 0 for the serial of a secondary without data.
func uncounted(c *pulled, stock *transfer) *transfer {
	if c.qtype == dns.TypeIXFR && c.later && stock.serial() == 0 && len(stock.records) > 1 {
		return &transfer{records: stock.records[:1]}
	}
	return stock
}

// wholeSince expects the whole zone for a serial that no server has sent.
func wholeSince(c *pulled, stock *transfer) *transfer {
	if c.qtype == dns.TypeIXFR && !c.later && len(stock.records) == 1 && c.whole != nil {
		return c.whole
	}
	return stock
}

func inTime(c *pulled, rrs []dns.RR) []dns.RR {
	var changed []dns.RR
	for _, rr := range rrs {
		rr = dns.Copy(rr)
		c.retime(rr)
		changed = append(changed, rr)
	}
	return changed
}

// withoutHidden removes the Services of hidden Namespaces.
func withoutHidden(c *pulled, rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		p, ok := c.locate(rr.Header().Name)
		n := len(p.labels)
		return ok && n > 1 && p.labels[n-1] != externalServers && !c.visible(p.labels[n-1])
	})
}

// asLookedUp returns our look-ups' answers for the names in stock's transfer. The look-ups
// are compared with stock's elsewhere, and no name may be missing or added. Names outside
// do not belong to the zone, and an unnamed port has no name.
func asLookedUp(c *pulled, rrs []dns.RR) []dns.RR {
	if len(rrs) < 2 || c.lookup == nil {
		return rrs
	}
	soa := rrs[0]
	changed := []dns.RR{soa}
	for _, owner := range c.owners(rrs) {
		qtypes := []uint16{dns.TypeNS, dns.TypeCNAME, dns.TypeA, dns.TypeAAAA, dns.TypeSRV}
		if strings.HasPrefix(owner, "_") {
			qtypes = []uint16{dns.TypeSRV}
		}
		for _, qtype := range qtypes {
			changed = append(changed, c.rrset(owner, qtype)...)
		}
	}
	return append(changed, soa)
}

// owners returns the names in the zone, in no order.
func (c *pulled) owners(rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		if name := strings.ToLower(rr.Header().Name); c.main.of(name) == c.scene && dns.IsSubDomain(c.zone, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rrset returns the records of the name itself. An alias has no other record.
func (c *pulled) rrset(owner string, qtype uint16) []dns.RR {
	var own []dns.RR
	for _, rr := range c.lookup(owner, qtype) {
		if rr.Header().Rrtype == qtype && rr.Header().Name == owner {
			own = append(own, rr)
		}
	}
	if qtype == dns.TypeSRV && !strings.HasPrefix(owner, "_") && len(c.rrset(owner, dns.TypeCNAME)) > 0 {
		return nil
	}
	return own
}
