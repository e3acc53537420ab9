// Package upstream is a DNS server outside the cluster, for tests.
package upstream

import (
	"net"
	"testing"

	"github.com/miekg/dns"
)

// Start starts a server for UDP that ends with the test, and returns its address. If reply
// returns nil, the server does not answer.
func Start(t testing.TB, reply func(r *dns.Msg) *dns.Msg) (addr string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		if m := reply(r); m != nil {
			_ = w.WriteMsg(m) // the client may have gone
		}
	})}
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return pc.LocalAddr().String()
}

// Address returns a reply with one IPv4 address, whatever the question's type.
func Address(r *dns.Msg, ttl uint32) *dns.Msg {
	m := new(dns.Msg).SetReply(r)
	hdr := dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
	m.Answer = []dns.RR{&dns.A{Hdr: hdr, A: net.IPv4(192, 0, 2, 1)}}
	return m
}
