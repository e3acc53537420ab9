package fastpath_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// keptAsker asks a server until it keeps its replies.
type keptAsker struct {
	conn    net.Conn
	stream  bool
	zones   reply.Zones
	backend *udp.Backend
	*reply.Responder
}

func newKeptAsker(t testing.TB, port int, s *udp.Backend) *keptAsker {
	t.Helper()
	a := &keptAsker{conn: dialed(t, "udp", port), backend: s, Responder: reply.NewResponder()}
	if s != nil {
		a.zones = s.Zones
	}
	return a
}

// newStreamAsker is newKeptAsker for a TCP connection.
func newStreamAsker(t testing.TB, i *coredns.Server, port int, s *udp.Backend) *keptAsker {
	t.Helper()
	a := &keptAsker{conn: dialed(t, "tcp", port), stream: true, backend: s, Responder: reply.NewResponder()}
	a.send(t, questionPacket(t, inCluster, dns.TypeA)) // makes the head of the chain
	a.zones = fastpath.ZonesOfHead(i.Instance(), fmt.Sprintf("dns://127.0.0.1:%d", port))
	return a
}

func dialed(t testing.TB, network string, port int) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// send sends a packet and returns the reply.
func (a *keptAsker) send(t testing.TB, packet []byte) []byte {
	t.Helper()
	sent := packet
	if a.stream {
		sent = prefixed(packet)
	}
	if _, err := a.conn.Write(sent); err != nil {
		t.Fatal(err)
	}
	_ = a.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if a.stream {
		wire, err := readPrefixed(a.conn)
		if err != nil {
			t.Fatalf("%x: %v", packet, err)
		}
		return wire
	}
	buf := make([]byte, 1<<16)
	n, err := a.conn.Read(buf)
	if err != nil {
		t.Fatalf("%x: %v", packet, err)
	}
	return buf[:n]
}

var loopback = netip.MustParseAddr("127.0.0.1")

// kept returns the kept reply to a packet, or nil.
func (a *keptAsker) kept(packet []byte) []byte {
	a.At(time.Now())
	const before = "before"
	respond := a.Respond
	if a.stream {
		respond = a.RespondStream
	}
	wire, verdict := respond(a.zones, loopback, packet, []byte(before))
	if verdict != reply.Answer {
		return nil
	}
	return wire[len(before):]
}

// respell gives the letters of a question's name another case.
func respell(random *rand.Rand, packet []byte) []byte {
	packet = slices.Clone(packet)
	for i := 12; packet[i] != 0; i += 1 + int(packet[i]) {
		for j := i + 1; j <= i+int(packet[i]); j++ {
			if c := packet[j] | 0x20; 'a' <= c && c <= 'z' && random.IntN(2) == 0 {
				packet[j] ^= 0x20
			}
		}
	}
	binary.BigEndian.PutUint16(packet, uint16(random.Uint32()))
	return packet
}

// inOrder returns a reply with its records in order, and its size.
func inOrder(t testing.TB, wire []byte) string {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		t.Fatalf("%x: %v", wire, err)
	}
	return fmt.Sprintf("%d octets: %s", len(wire), text(m))
}

// compare asks for a reply until it may be kept, and compares it with the chain's for another
// spelling. It reports whether it is kept.
func (a *keptAsker) compare(t testing.TB, random *rand.Rand, packet []byte) bool {
	t.Helper()
	for range 3 {
		a.send(t, packet)
	}
	again := packet
	if random.IntN(3) > 0 {
		again = respell(random, packet)
	}
	got := a.kept(again)
	if got == nil {
		return false
	}
	m := new(dns.Msg)
	if err := m.Unpack(again); err != nil {
		t.Fatal(err)
	}
	w := &wireTo{client: loopback, stream: a.stream}
	whole := struct{ dns.ResponseWriter }{w} // has no mark of a transport, so the head of the chain passes it on
	a.backend.Handler.ServeDNS(a.backend.Context, whole, m)
	if g, want := inOrder(t, got), inOrder(t, w.wire); g != want {
		t.Fatalf("%x: got\n%s\nwant\n%s", again, g, want)
	}
	return true
}

// wireTo is a client that keeps the reply that it receives in wire form.
type wireTo struct {
	sentTo
	client netip.Addr
	stream bool
	wire   []byte
}

// RemoteAddr implements dns.ResponseWriter.
func (w *wireTo) RemoteAddr() net.Addr {
	if w.stream {
		return &net.TCPAddr{IP: w.client.AsSlice(), Port: 53000}
	}
	return &net.UDPAddr{IP: w.client.AsSlice(), Port: 53000}
}

// WriteMsg implements dns.ResponseWriter.
func (w *wireTo) WriteMsg(m *dns.Msg) (err error) {
	if !w.stream {
		ownEDNS(m)
	}
	w.wire, err = m.Pack()
	return err
}
