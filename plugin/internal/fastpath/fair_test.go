package fastpath_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// upstreamOf starts an upstream that answers once the gate is open, and tells of each name
// that it is asked for.
func upstreamOf(t *testing.T, gate <-chan struct{}, asked chan<- string) (addr string) {
	t.Helper()
	l, pc, err := freeport.Listen("127.0.0.1")
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

// readAbout returns the reply to a question, or nil if none comes for two seconds. Others may come before it,
// to questions that forward has given up.
func readAbout(c *dns.Conn, name string) *dns.Msg {
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		m, err := c.ReadMsg()
		if err != nil {
			return nil
		}
		if m.Question[0].Name == name {
			return m
		}
	}
}

// However many outside names a client asks for, forward refuses none of another client, over UDP
// and TCP. A searched name of the first is denied at once, and an alias that leads out fails.
func TestB7FloodLeavesUpstreamsToOthers(t *testing.T) {
	const places, share, flood = 30, 20, 300
	t.Setenv("CLUSTERDNS_SEARCH", "names")
	gate, asked, port := make(chan struct{}), make(chan string, 10*flood), freePort(t)
	forward := fmt.Sprintf("%s {\n max_concurrent %d\n}", upstreamOf(t, gate, asked), places)
	answer := sync.OnceFunc(func() { close(gate) })
	t.Cleanup(answer) // the upstream ends when it has answered
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
	// On a busy machine forward may give questions up before it has sent them, so the flood goes on.
	await.True(t, time.Minute, "the rest is discarded", func() bool {
		for i := range flood {
			ask(flooder, fmt.Sprintf("flood-%d.example.com.", i))
		}
		return len(asked) >= share && packets(t, port, "dropped") > 0
	})
	var m *dns.Msg
	await.True(t, time.Minute, "an answer about a searched name", func() bool { // it may be discarded with the flood
		ask(flooder, "www.example.a.svc.cluster.local.")
		m = readAbout(flooder, "www.example.a.svc.cluster.local.")
		return m != nil
	})
	if m.Rcode != dns.RcodeNameError {
		t.Fatalf("a searched name: %v", m)
	}
	overTCP := clientAt(t, "tcp", "127.0.0.5", port)
	ask(overTCP, "out.a.svc.cluster.local.")
	if m, err := overTCP.ReadMsg(); err != nil || m.Rcode != dns.RcodeServerFailure {
		t.Fatalf("an alias that leads out: %v, %s", m, err)
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
	answer()
	for i, c := range polite {
		if m, err := c.ReadMsg(); err != nil || m.Rcode != dns.RcodeSuccess {
			t.Errorf("%d: %v, %v", i, m, err)
		}
	}
}

// floodCluster has a Service and one of thousands of endpoints.
func floodCluster(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(`{kind: List, apiVersion: v1, items: [
{apiVersion: v1, kind: Namespace, metadata: {name: a}},
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {clusterIP: 10.3.0.1, ports: [{name: http, port: 80}]}},
{apiVersion: v1, kind: Service, metadata: {name: many, namespace: a}, spec: {clusterIP: None, ports: [{name: http, port: 80}]}}`)
	for slice := range 3 {
		fmt.Fprintf(&text, ",\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: many-%d, namespace: a, labels: {kubernetes.io/service-name: many}},"+
			" addressType: IPv4, ports: [{name: http, port: 80, protocol: TCP}], endpoints: [", slice)
		for i := range 1000 {
			fmt.Fprintf(&text, "{addresses: [10.1.%d.%d]},", 4*slice+i/250, 1+i%250)
		}
		text.WriteString("]}")
	}
	text.WriteString("]}\n")
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const floodCorefile = `
.:PORT {
    bind 127.0.0.1
    errors
    kubernetes cluster.local {
        manifests %q
        search names
        search_suffixes a.example b.example c.example d.example e.example f.example
    }
    prometheus 127.0.0.1:0
    forward . %s {
        max_concurrent 1000
    }
    cache 30
}
`

// flood asks until the test is over, over UDP or many connections, and reads no answer over UDP.
func flood(t *testing.T, network string, port, clients int, question func(i int) (string, uint16)) {
	t.Helper()
	var asking sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(asking.Wait)
	t.Cleanup(cancel)
	for range clients {
		c := clientAt(t, network, "127.0.0.5", port)
		asking.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ctx.Err() == nil; i++ {
				m := new(dns.Msg).SetQuestion(question(i))
				m.SetEdns0(1232, false)
				_ = c.WriteMsg(m) // what the server's buffer does not take is lost
				if network == "tcp" {
					_ = c.SetDeadline(time.Now().Add(5 * time.Second))
					_, _ = c.ReadMsg()
				} else if i%100 == 0 {
					<-tick.C
				}
			}
		})
	}
}

// Whatever a client floods the server with, two polite ones have an answer in time to at least 98
// of 100 questions.
func TestB7PoliteClientsUnderFloods(t *testing.T) {
	const politeQuestions, answered = 100, 98
	for _, tc := range []struct {
		title, network string
		clients        int
		question       func(i int) (string, uint16)
	}{
		{"names of the cluster", "udp", 2, func(int) (string, uint16) { return "web.a.svc.cluster.local.", dns.TypeA }},
		{"outside names, upstream dead", "udp", 1, func(i int) (string, uint16) { return fmt.Sprintf("f%d.dead.example.", i), dns.TypeA }},
		{"SRV", "udp", 1, func(int) (string, uint16) { return "_http._tcp.many.a.svc.cluster.local.", dns.TypeSRV }},
		{"searched names", "udp", 1, func(i int) (string, uint16) { return fmt.Sprintf("f%d.dead.a.svc.cluster.local.", i), dns.TypeA }},
		{"connections", "tcp", 100, func(int) (string, uint16) { return "web.a.svc.cluster.local.", dns.TypeA }},
	} {
		t.Run(tc.title, func(t *testing.T) {
			port := freePort(t)
			coredns.StartTest(t, fastCorefile(t, fmt.Sprintf(floodCorefile, floodCluster(t), deadFor(t)), port))
			names := []string{"web.a.svc.cluster.local.", "www.example.com."}
			for _, name := range names {
				await.True(t, time.Minute, "the answer is there", func() bool { return len(exchange(t, port, name, dns.TypeA).Answer) > 0 })
			}
			flood(t, tc.network, port, tc.clients, tc.question)
			for i, name := range names {
				c, got := clientAt(t, "udp", fmt.Sprintf("127.0.0.%d", 6+i), port), 0
				for n := range politeQuestions {
					if answers(c, n, name) {
						got++
					}
				}
				if got < answered {
					t.Errorf("%s: %d of %d questions were answered", name, got, politeQuestions)
				}
			}
		})
	}
}

// answers reports whether a question is answered before a resolver asks again.
func answers(c *dns.Conn, id int, name string) bool {
	m := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m.Id = uint16(id)
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if err := c.WriteMsg(m); err != nil {
		return false
	}
	for {
		reply, err := c.ReadMsg()
		if err != nil {
			return false
		}
		if reply.Id == m.Id {
			return len(reply.Answer) > 0
		}
	}
}
