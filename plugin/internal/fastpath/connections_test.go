package fastpath_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/timeouts"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/certificate"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// connectionCorefile has an upstream, and lines of the test.
const connectionCorefile = `
SCHEME.:PORT {
    bind 127.0.0.1
    errors
    LINES
    transfer {
        to *
    }
    OURS
    forward . UPSTREAM {
        prefer_udp
    }
}
`

// connected is a client with one connection.
type connected struct {
	t    *testing.T
	conn net.Conn
}

// connect connects to a server, with TLS if there is a configuration.
func connect(t *testing.T, port int, config *tls.Config) *connected {
	t.Helper()
	conn, err := net.Dial("tcp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return &connected{t, conn}
}

const (
	inCluster = "web.a.svc.cluster.local."
	elsewhere = "www.example.com."
)

// ask sends questions at once, with the numbers from 1 on.
func (c *connected) ask(names ...string) {
	c.t.Helper()
	var all []byte
	for i, name := range names {
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		m.Id = uint16(1 + i)
		packet, err := m.Pack()
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, prefixed(packet)...)
	}
	if _, err := c.conn.Write(all); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads the answers with these numbers, in this order.
func (c *connected) expect(ids ...uint16) {
	c.t.Helper()
	for _, id := range ids {
		m := new(dns.Msg)
		wire, err := readPrefixed(c.conn)
		if err == nil {
			err = m.Unpack(wire)
		}
		if err != nil || m.Id != id || len(m.Answer) == 0 {
			c.t.Fatalf("%v\n%v, want an answer to the question %d", err, m, id)
		}
	}
}

func (c *connected) expectEnd() {
	c.t.Helper()
	if _, err := readPrefixed(c.conn); !errors.Is(err, io.EOF) {
		c.t.Fatalf("the connection goes on: %v", err)
	}
}

// startConnections starts a server whose upstream answers once open is called.
func startConnections(t *testing.T, scheme, lines string) (i *coredns.Server, port int, text string, open func()) {
	t.Helper()
	gate := make(chan struct{})
	open = sync.OnceFunc(func() { close(gate) })
	port = freePort(t)
	text = strings.NewReplacer("SCHEME", scheme, "LINES", lines, "UPSTREAM", heldUpstream(t, gate)).Replace(connectionCorefile)
	text = fastCorefile(t, text, port)
	i = coredns.StartTest(t, text)
	t.Cleanup(open)
	return i, port, text, open
}

// A question whose upstream is silent does not hold up the names of the cluster that are asked behind
// it on the same connection.
func TestSilentUpstreamsHoldUpNoConnection(t *testing.T) {
	files, trusted := certificate.New(t)
	config := &tls.Config{RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	for _, tc := range []struct {
		scheme, lines string
		config        *tls.Config
	}{{scheme: ""}, {scheme: "tls://", lines: "tls " + files, config: config}} {
		_, port, _, open := startConnections(t, tc.scheme, tc.lines)
		c := connect(t, port, tc.config)
		c.ask(elsewhere, inCluster, inCluster)
		c.expect(2, 3)
		c.ask(inCluster)
		c.expect(1)
		open()
		c.expect(1)
	}
}

// Where CoreDNS does more with a connection, or must see each question, it reads the connection.
func TestConnectionsThatAreNotTaken(t *testing.T) {
	for _, lines := range []string{
		"tsig {\n secret key. c2VjcmV0c2VjcmV0c2VjcmV0\n}",
		"timeouts {\n maxtcpqueries 10\n}",
		"view all {\n expr true\n}",
		"log",
	} {
		t.Run(strings.Fields(lines)[0], func(t *testing.T) {
			_, port, _, open := startConnections(t, "", lines)
			c := connect(t, port, nil)
			c.ask(elsewhere, inCluster)
			_ = c.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if wire, err := readPrefixed(c.conn); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%x, %v", wire, err)
			}
			_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
			open()
			c.expect(1, 2)
		})
	}
}

// A reload ends connections as CoreDNS does: idle ones at once, and others once their questions are
// answered. The next instance takes connections over too.
func TestConnectionsAtReload(t *testing.T) {
	i, port, text, open := startConnections(t, "", "timeouts {\n idle 1h\n}")
	idle, busy := connect(t, port, nil), connect(t, port, nil)
	idle.ask(inCluster)
	idle.expect(1)
	busy.ask(elsewhere, inCluster)
	busy.expect(2)
	reloaded := make(chan error, 1)
	go func() { reloaded <- i.Reload(coredns.Input(text + "\n")) }()
	idle.expectEnd()
	next := connect(t, port, nil)
	next.ask(elsewhere, inCluster)
	next.expect(2)
	open()
	busy.expect(1)
	busy.expectEnd()
	next.expect(1)
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}

// After a reload that fails, connections are taken over as before.
func TestConnectionsAfterAFailedReload(t *testing.T) {
	i, port, _, open := startConnections(t, "", "")
	before := connect(t, port, nil)
	before.ask(elsewhere, inCluster)
	before.expect(2)
	if err := i.Reload(coredns.Input(".:53 {\n nonsense\n}")); err == nil {
		t.Fatal("it does not fail")
	}
	after := connect(t, port, nil)
	after.ask(elsewhere, inCluster)
	after.expect(2)
	before.ask(inCluster)
	before.expect(1)
	open()
	before.expect(1)
	after.expect(1)
}

// Connections end after the idle time of the plugin timeouts: where it is an hour, one is still
// there when a later one with a second has ended.
func TestConnectionsThatAreIdle(t *testing.T) {
	connected := func(idle string) *connected {
		_, port, _, _ := startConnections(t, "", "timeouts {\n idle "+idle+"\n}")
		c := connect(t, port, nil)
		c.ask(inCluster)
		c.expect(1)
		return c
	}
	patient, begin := connected("1h"), time.Now()
	connected("1s").expectEnd()
	if d := time.Since(begin); d < time.Second {
		t.Errorf("closed after %v", d)
	}
	patient.ask(inCluster)
	patient.expect(1)
}

// Zones are transferred over a connection that was taken over, while other questions wait.
func TestTransfersOverTakenConnections(t *testing.T) {
	_, port, _, _ := startConnections(t, "", "")
	var serial uint32
	await.True(t, time.Minute, "the zone may be transferred", func() bool {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA), fastAddr(port).String())
		if err != nil || len(m.Answer) != 1 {
			return false
		}
		serial = m.Answer[0].(*dns.SOA).Serial
		return true
	})
	for _, tc := range []struct {
		what     string
		question *dns.Msg
		least    int
	}{
		{"AXFR", new(dns.Msg).SetAxfr("cluster.local."), 10},
		{"IXFR", new(dns.Msg).SetIxfr("cluster.local.", serial-100, "ns.dns.cluster.local.", "hostmaster.cluster.local."), 1},
	} {
		var records []dns.RR
		await.True(t, time.Minute, tc.what, func() bool {
			records = nil
			c := connect(t, port, nil)
			c.ask(inCluster)
			c.expect(1)
			c.ask(elsewhere)
			envelopes, err := (&dns.Transfer{Conn: &dns.Conn{Conn: c.conn}}).In(tc.question, "")
			if err != nil {
				t.Fatal(err)
			}
			for e := range envelopes {
				if e.Error != nil {
					t.Log(e.Error)
					return false
				}
				records = append(records, e.RR...)
			}
			return true
		})
		if len(records) < tc.least {
			t.Errorf("%s: %s", tc.what, fmt.Sprint(records))
		}
	}
}
