package conformance

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
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
	u.serve(t, listener, conn)
	return address
}

func (u *upstream) serve(t *testing.T, listener net.Listener, conn net.PacketConn) {
	t.Helper()
	serve(t, &dns.Server{Listener: listener, Handler: u})
	serve(t, &dns.Server{PacketConn: conn, Handler: u})
}

func serve(t *testing.T, s *dns.Server) {
	started, ended := make(chan struct{}), make(chan error, 1)
	s.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- s.ActivateAndServe() }()
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
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
