package differential

import (
	"strings"

	"github.com/miekg/dns"
)

// recased returns the comparison without letter case. Stock spells the zone as in its
// configuration, and we spell it as in the question.
func (c *comparison) recased() (*comparison, bool) {
	if !c.external || c.fold || c.stock.problem != nil || c.ours.problem != nil {
		return nil, false
	}
	fixed := *c
	fixed.fold = true
	fixed.q.name = c.q.lower()
	fixed.stock, fixed.ours = fixed.loosen(c.stock), fixed.loosen(c.ours)
	return &fixed, !fixed.stock.equal(c.stock) || !fixed.ours.equal(c.ours)
}

// lowered returns a message whose names are in lower case.
func lowered(m *dns.Msg) *dns.Msg {
	m = m.Copy()
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for i, rr := range section {
			if rr.Header().Rrtype == dns.TypeOPT {
				continue
			}
			if low, err := dns.NewRR(strings.ToLower(rr.String())); err == nil && low != nil {
				section[i] = low
			}
		}
	}
	return m
}

// retimed returns the comparison with the zone's TTL in SRV and CNAME records to which
// stock gives the TTL of the cluster's zones.
func (c *comparison) retimed() (*comparison, bool) {
	if !c.external || c.stock.problem != nil {
		return nil, false
	}
	m := c.stock.msg.Copy()
	for _, rr := range m.Answer {
		c.retime(rr)
	}
	fixed := *c
	fixed.stock = c.loosen(newReply(m))
	return &fixed, !fixed.stock.equal(c.stock)
}

func (c *scene) retime(rr dns.RR) {
	h := rr.Header()
	own := c.main.of(h.Name) == c
	if own && (h.Rrtype == dns.TypeSRV || h.Rrtype == dns.TypeCNAME) && h.Ttl == c.main.ttl {
		h.Ttl = c.ttl
	}
}
