package clusterdns

import "github.com/miekg/dns"

// searchTTL is the longest that a completed answer may be kept, in seconds: it
// depends on which Services there are and, where Pods are known, on the client.
const searchTTL = 5

// reply answers with an alias to the name that was found, and with what is there. The
// alias is not signed, and no resolver is told that it was checked (RFC 4035 3.2.3).
func (c *completion) reply(target string, f *finding) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(c.state.Req, f.rcode)
	m.Authoritative = true
	m.RecursionAvailable = f.recursion
	qtype := c.state.QType()
	switch {
	case f.rcode != dns.RcodeSuccess:
	case qtype == dns.TypeCNAME || qtype == dns.TypeANY:
		m.Answer = []dns.RR{c.alias(target, nil)}
	case len(f.records) == 0:
		m.Ns = c.noData()
		m.Truncated = f.truncated
	default:
		m.Answer = append([]dns.RR{c.alias(target, f.records)}, f.records...)
		m.Extra, m.Truncated = f.extra, f.truncated
	}
	return m
}

// alias leads from the question's name to what it stands for. It is not kept for
// longer than any of the records behind it.
func (c *completion) alias(target string, records []dns.RR) dns.RR {
	ttl := min(c.d.view.TTL, searchTTL)
	for _, rr := range records {
		ttl = min(ttl, rr.Header().Ttl)
	}
	header := dns.RR_Header{Name: c.state.QName(), Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl}
	return &dns.CNAME{Hdr: header, Target: target}
}

// noData is the SOA record that says how long a type is known not to exist
// (RFC 2308 5).
func (c *completion) noData() []dns.RR {
	var records []dns.RR
	for _, rr := range c.denial {
		rr = dns.Copy(rr)
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Hdr.Ttl = min(soa.Hdr.Ttl, searchTTL)
			soa.Minttl = min(soa.Minttl, searchTTL)
		}
		records = append(records, rr)
	}
	return records
}
