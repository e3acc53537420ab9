package conformance

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// upstream is the server beyond the cluster: one zone, served over UDP and TCP.
type upstream struct {
	soa     *dns.SOA
	records map[string][]dns.RR // by owner, in lower case
}

// startUpstream returns the address at which a zone file is served until the
// test ends.
func startUpstream(t *testing.T, zonefile string) (address string) {
	t.Helper()
	u := newUpstream(t, zonefile)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	netlab.ServeOn(t, listener, conn, u)
	return address
}

func newUpstream(t *testing.T, zonefile string) *upstream {
	t.Helper()
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
		t.Fatal(err)
	}
	if u.soa == nil {
		t.Fatalf("zone file without SOA:\n%s", zonefile)
	}
	return u
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
