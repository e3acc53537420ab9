package gateway

import (
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// findCut finds the highest zone cut that a name is at or below (RFC 1034 4.3.2, step 3b), and how many
// labels below it the name is. Nothing else is looked for there, wildcards included. It returns nil if
// there is no cut.
func findCut(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) (cut *cluster.Published, below int) {
	if !s.HasDelegations() {
		return nil, 0
	}
	for below = n.Labels() - o.Labels() - 1; below >= 0; below-- {
		switch m := at(s, n, o, below); {
		case m.Kind == resolve.NoName:
			return nil, 0
		case m.Published.Delegates():
			return m.Published, below
		}
	}
	return nil, 0
}

// refer makes a reply one to a question for a name in a delegated zone: it has the servers of that
// zone with their addresses, as far as they are known, and is not authoritative.
func (v *view) refer(m *dns.Msg, s *cluster.Snapshot, n *dnsname.Name) {
	o := v.zones.Origin(n)
	published, below := findCut(s, n, o)
	cut, err := dnsname.Parse(n.String()[dns.Split(n.String())[below]:])
	if err != nil {
		return // cannot happen
	}
	m.Authoritative = false
	m.Ns = answer.RRset(&v.zones, s, &cut, o, &resolve.Match{Kind: resolve.AtPublished, Published: published}, dns.TypeNS)
	for _, rr := range m.Ns {
		m.Extra = append(m.Extra, v.glue(s, rr.(*dns.NS).Ns)...)
	}
}

// glue returns the addresses of a server if its name is in the zones.
func (v *view) glue(s *cluster.Snapshot, server string) (records []dns.RR) {
	n, err := dnsname.Parse(server)
	if err != nil {
		return nil
	}
	o := v.zones.Origin(&n)
	if o == nil {
		return nil
	}
	m := at(s, &n, o, 0)
	if m.Kind != resolve.AtPublished {
		return nil
	}
	for _, qtype := range addressTypes {
		records = append(records, answer.RRset(&v.zones, s, &n, o, &m, qtype)...)
	}
	return records
}
