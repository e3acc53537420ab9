package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// outside is a handler for outside names. It blocks for names that begin with "wait".
type outside struct {
	gate chan struct{}
	in   chan context.Context
}

// ServeDNS implements Handler.
func (o *outside) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) {
	if strings.HasPrefix(r.Question[0].Name, "wait") {
		WillBlock(ctx)
		o.in <- ctx
		<-o.gate
	}
	_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
}

// serveOutside has a handler answer for outside names, and returns a client.
func serveOutside(t *testing.T, h Handler) (*Registry, *tally, net.Conn) {
	t.Helper()
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	root, err := zone.ParseOrigin(".")
	if err != nil {
		t.Fatal(err)
	}
	s.Zones[0].Origin, s.Zones[0].Block.Cache, s.Handler = root, true, h
	if _, err := r.Serve(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), s); err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("udp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return r, meter, client
}

func send(t *testing.T, client net.Conn, id int, name string) {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m.Id = uint16(id)
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write(packet); err != nil {
		t.Fatal(err)
	}
}

// replies reads n replies, and returns the response code of each by its id.
func replies(t *testing.T, client net.Conn, n int) map[uint16]int {
	t.Helper()
	rcodes, buf := map[uint16]int{}, make([]byte, 512)
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	for range n {
		size, err := client.Read(buf)
		if err != nil {
			t.Fatalf("after %d replies of %d: %v", len(rcodes), n, err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(buf[:size]); err != nil {
			t.Fatal(err)
		}
		rcodes[m.Id] = m.Rcode
	}
	return rcodes
}

const ourName = "web.a.svc.cluster.local."

// Questions that block hold up no question that came with them or after them, and are answered
// in the end.
func TestReaderDoesNotWait(t *testing.T) {
	const waiting, quick = 100, 50
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, waiting)}
	r, meter, client := serveOutside(t, h)
	for i := range waiting {
		send(t, client, i, fmt.Sprintf("wait-%d.", i))
		if i < quick {
			send(t, client, 1000+i, "now.")
			send(t, client, 2000+i, ourName)
		}
	}
	for id, rcode := range replies(t, client, 2*quick) {
		if want := map[bool]int{true: dns.RcodeSuccess, false: dns.RcodeRefused}[id >= 2000]; id < 1000 || rcode != want {
			t.Errorf("%d: %s", id, dns.RcodeToString[rcode])
		}
	}
	for range waiting {
		<-h.in
	}
	send(t, client, 3000, ourName)
	replies(t, client, 1)
	eventually(t, "all is counted", func() bool {
		return meter.handedOver.Load() == waiting+quick && meter.answered.Load() == quick+1
	})
	stopped := make(chan struct{})
	go func() {
		r.Stop(t)
		close(stopped)
	}()
	close(h.gate)
	if rcodes := replies(t, client, waiting); len(rcodes) != waiting {
		t.Errorf("%d questions of %d were answered in the end", len(rcodes), waiting)
	}
	<-stopped
}

// WillBlock has an effect once per question, and none after the answer: two goroutines that
// wait at a socket would both report that they were the last.
func TestReaderIsReplacedOnce(t *testing.T) {
	var kept []context.Context
	h := handlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) {
		done := make(chan struct{})
		go func() {
			WillBlock(ctx)
			close(done)
		}()
		<-done
		WillBlock(ctx)
		for _, before := range kept {
			WillBlock(before)
		}
		kept = append(kept, ctx)
		_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
	})
	r, _, client := serveOutside(t, h)
	for i := range 100 {
		send(t, client, i, "now.")
		replies(t, client, 1)
	}
	send(t, client, 1000, ourName)
	replies(t, client, 1)
	r.Stop(t)
}

// Under overload by names that block, our own names are answered, and the questions that are too
// many are discarded and counted.
func TestReaderUnderOverload(t *testing.T) {
	const limit, more = 3, 10
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, limit+maxPending+more)}
	r, meter, client := serveOutside(t, h)
	r.workers.mu.Lock()
	r.workers.limit = limit
	r.workers.mu.Unlock()
	for i := range limit {
		send(t, client, i, "wait.")
		<-h.in
	}
	for i := range maxPending + more {
		send(t, client, limit+i, "wait.")
		if i%100 == 0 {
			send(t, client, 1<<15+i, ourName)
			replies(t, client, 1)
		}
	}
	eventually(t, "what is too much is given up", func() bool { return meter.dropped.Load() == more })
	close(h.gate)
	eventually(t, "the rest is answered", func() bool { return len(h.in) == maxPending })
}
