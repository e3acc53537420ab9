package completion

import "github.com/miekg/dns"

// maxTTL is the largest TTL of a completed answer, in seconds. The answer depends on which
// Services exist and, where Pods are known, on the client, so it must not be cached for
// long.
const maxTTL = 5

// reply answers with an alias to the name that was found, followed by its records. The
// alias is not signed, so the AD bit stays off (RFC 4035 3.2.3).
func (s *search) reply(target string, f *finding) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(s.State.Req, f.rcode)
	m.Authoritative = true
	m.RecursionAvailable = f.recursion
	qtype := s.State.QType()
	switch {
	case f.rcode != dns.RcodeSuccess:
	case qtype == dns.TypeCNAME || qtype == dns.TypeANY:
		m.Answer = []dns.RR{s.alias(target, nil)}
	case len(f.records) == 0:
		m.Ns = s.noData()
		m.Truncated = f.truncated
	default:
		m.Answer = append([]dns.RR{s.alias(target, f.records)}, f.records...)
		m.Extra, m.Truncated = f.extra, f.truncated
	}
	return m
}

// alias returns the record that leads from the question's name to the name that it stands
// for. Its TTL is no larger than that of any record after it.
func (s *search) alias(target string, records []dns.RR) dns.RR {
	ttl := min(s.c.View.TTL, maxTTL)
	for _, rr := range records {
		ttl = min(ttl, rr.Header().Ttl)
	}
	header := dns.RR_Header{Name: s.State.QName(), Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl}
	return &dns.CNAME{Hdr: header, Target: target}
}

// noData returns the SOA record for a negative answer, which limits how long it may be
// cached (RFC 2308 5).
func (s *search) noData() []dns.RR {
	var records []dns.RR
	for _, rr := range s.Denial {
		rr = dns.Copy(rr)
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Hdr.Ttl = min(soa.Hdr.Ttl, maxTTL)
			soa.Minttl = min(soa.Minttl, maxTTL)
		}
		records = append(records, rr)
	}
	return records
}
