package cases

import (
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// upstream is the server outside the cluster: one zone, served over UDP and TCP.
type upstream struct {
	soa     *dns.SOA
	records map[string][]dns.RR // by owner, in lower case
}

// NewUpstream returns the handler of a server outside the cluster with a zone file.
func NewUpstream(zonefile string) (dns.Handler, error) {
	u := &upstream{records: map[string][]dns.RR{}}
	parser := dns.NewZoneParser(strings.NewReader(zonefile), "", "")
	parser.SetDefaultTTL(3600)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		owner := strings.ToLower(rr.Header().Name)
		u.records[owner] = append(u.records[owner], rr)
		if soa, ok := rr.(*dns.SOA); ok {
			u.soa = soa
		}
	}
	if err := parser.Err(); err != nil {
		return nil, err
	}
	if u.soa == nil {
		return nil, errors.New("a zone file without SOA:\n" + zonefile)
	}
	return u, nil
}

// ServeDNS implements dns.Handler.
func (u *upstream) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	question := query.Question[0]
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.Authoritative = true
	rrs, exists := u.records[strings.ToLower(question.Name)]
	for _, rr := range rrs {
		if rr.Header().Rrtype == question.Qtype {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	switch {
	case !dns.IsSubDomain(u.soa.Hdr.Name, question.Name):
		reply.SetRcode(query, dns.RcodeRefused)
	case len(reply.Answer) == 0:
		reply.Ns = []dns.RR{u.soa}
		if !exists {
			reply.Rcode = dns.RcodeNameError
		}
	}
	_ = w.WriteMsg(reply) // the server under test has gone away
}
