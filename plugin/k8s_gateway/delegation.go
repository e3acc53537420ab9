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
		switch m := at(s, n, below); {
		case m.Kind == resolve.NoName:
			return nil, 0
		case m.Published.Delegates():
			return m.Published, below
		}
	}
	return nil, 0
}

// refer makes a reply one to a question for a name in a delegated zone: it has the servers of that
// zone with their addresses, as far as they are known, and is not authoritative. It has no more records
// than could fit into a message of the given size, which is cut later.
func (v *view) refer(m *dns.Msg, s *cluster.Snapshot, n *dnsname.Name, size int) {
	most := size/answer.MinRecord + 1
	o := v.zones.Origin(n)
	published, below := findCut(s, n, o)
	cut, err := dnsname.Parse(n.String()[dns.Split(n.String())[below]:])
	if err != nil {
		return // cannot happen
	}
	m.Authoritative = false
	m.Ns = answer.RRset(&v.zones, s, &cut, o, &resolve.Match{Kind: resolve.AtPublished, Published: servers(published, most)}, dns.TypeNS)
	for _, rr := range m.Ns {
		if len(m.Extra) < most {
			m.Extra = append(m.Extra, v.glue(s, rr.(*dns.NS).Ns, most)...)
		}
	}
}

// servers returns the NS records of a zone cut, but no more than most.
func servers(cut *cluster.Published, most int) *cluster.Published {
	few := new(cluster.Published)
	for _, r := range cut.Records {
		if r.Type == dns.TypeNS && len(few.Records) < most {
			few.Records = append(few.Records, r)
		}
	}
	return few
}

// glue returns the addresses of a server if its name is in the zones, but no more than most.
func (v *view) glue(s *cluster.Snapshot, server string, most int) (records []dns.RR) {
	n, err := dnsname.Parse(server)
	if err != nil {
		return nil
	}
	o := v.zones.Origin(&n)
	if o == nil {
		return nil
	}
	m := at(s, &n, 0)
	if m.Kind != resolve.AtPublished {
		return nil
	}
	m.Published = &cluster.Published{Addrs: m.Published.Addrs[:min(most, len(m.Published.Addrs))]}
	for _, qtype := range addressTypes {
		records = append(records, answer.RRset(&v.zones, s, &n, o, &m, qtype)...)
	}
	return records
}
