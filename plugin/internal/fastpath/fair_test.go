package fastpath_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// upstreamOf starts an upstream that answers once the gate is open, and tells of each name
// that it is asked for.
func upstreamOf(t *testing.T, gate <-chan struct{}, asked chan<- string) (addr string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		q := r.Question[0]
		asked <- q.Name
		<-gate
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 30}, A: net.IPv4(192, 0, 2, 1)}}
		_ = w.WriteMsg(m)
	})
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: l, Handler: handler}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return pc.LocalAddr().String()
}

// clientAt returns a client at an address of its own.
func clientAt(t *testing.T, network, addr string, port int) *dns.Conn {
	t.Helper()
	var local net.Addr = &net.UDPAddr{IP: net.ParseIP(addr)}
	if network == "tcp" {
		local = &net.TCPAddr{IP: net.ParseIP(addr)}
	}
	dialer := net.Dialer{LocalAddr: local}
	conn, err := dialer.DialContext(context.Background(), network, fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &dns.Conn{Conn: conn}
}

// However many outside names a client asks for, forward refuses none of another client, over UDP
// and TCP, and a searched name of the first is denied at once.
func TestB7FloodLeavesUpstreamsToOthers(t *testing.T) {
	const places, share, flood = 30, 20, 300
	t.Setenv("CLUSTERDNS_SEARCH", "names")
	gate, asked, port := make(chan struct{}), make(chan string, 10*flood), freePort(t)
	forward := fmt.Sprintf("%s {\n max_concurrent %d\n}", upstreamOf(t, gate, asked), places)
	coredns.StartTest(t, fastCorefile(t, strings.Replace(waitingCorefile, "UPSTREAM", forward, 1), port))
	await.True(t, time.Minute, "our socket has the packets", func() bool {
		exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA)
		return packets(t, port, "answered") > 0
	})
	flooder := clientAt(t, "udp", "127.0.0.5", port)
	ask := func(c *dns.Conn, name string) {
		t.Helper()
		if err := c.WriteMsg(new(dns.Msg).SetQuestion(name, dns.TypeA)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range flood {
		ask(flooder, fmt.Sprintf("flood-%d.example.com.", i))
	}
	await.True(t, time.Minute, "the rest is discarded", func() bool { return packets(t, port, "dropped") == flood-share })
	ask(flooder, "www.example.a.svc.cluster.local.")
	if m, err := flooder.ReadMsg(); err != nil || m.Rcode != dns.RcodeNameError {
		t.Fatalf("a searched name: %v, %s", m, err)
	}
	var polite []*dns.Conn
	for i, network := range []string{"udp", "tcp", "udp", "tcp"} {
		polite = append(polite, clientAt(t, network, "127.0.0.6", port))
		ask(polite[i], fmt.Sprintf("polite-%d.example.com.", i))
	}
	for waiting := len(polite); waiting > 0; {
		select {
		case name := <-asked:
			if strings.HasPrefix(name, "polite") {
				waiting--
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("forward has not asked for %d names", waiting)
		}
	}
	close(gate)
	for i, c := range polite {
		if m, err := c.ReadMsg(); err != nil || m.Rcode != dns.RcodeSuccess {
			t.Errorf("%d: %v, %v", i, m, err)
		}
	}
}
