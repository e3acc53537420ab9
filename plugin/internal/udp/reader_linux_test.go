package udp

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// outside is a handler for outside names. It blocks for names that begin with "wait".
type outside struct {
	gate chan struct{}
	in   chan context.Context
}

// ServeDNS implements Handler.
func (o *outside) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) {
	if strings.HasPrefix(r.Question[0].Name, "wait") {
		if !WillBlock(ctx) {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeServerFailure))
			return
		}
		o.in <- ctx
		<-o.gate
	}
	_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
}

// serveOutside makes a handler answer for outside names, and returns a client.
func serveOutside(t *testing.T, h Handler) (*Registry, *tally, net.Conn) {
	t.Helper()
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	root, err := resolve.ParseOrigin(".")
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

// Questions that block delay no others, with them or after them, and are answered in the
// end.
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

// WillBlock has an effect once per question, and none after the answer. Otherwise two
// goroutines that wait at a socket would both count as the last.
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

// However many questions wait for a dead upstream, names that need none are answered, our
// own and outside ones. Excess questions are discarded and counted.
func TestB2DeadUpstreamBlocksNoOtherAnswer(t *testing.T) {
	const limit, ceiling, more = 2, 3, 2000
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, ceiling)}
	r, meter, client := serveOutside(t, h)
	w := r.workers
	w.mu.Lock()
	w.limit, w.waiting = limit, fair.NewPlaces(ceiling+1) // of which one client may have the ceiling
	w.mu.Unlock()
	for i := range ceiling {
		send(t, client, i, "wait.")
		<-h.in
	}
	for i := range more {
		send(t, client, 10+i, "wait.")
		if i%100 == 0 {
			send(t, client, 1<<14+i, "now.")
			send(t, client, 1<<15+i, ourName)
			if got := replies(t, client, 2); got[uint16(1<<14+i)] != dns.RcodeRefused || len(got) != 2 {
				t.Fatalf("replies are %v", got)
			}
		}
	}
	eventually(t, "the others are discarded", func() bool { return meter.dropped.Load() == more })
	close(h.gate)
	if rcodes := replies(t, client, ceiling); len(rcodes) != ceiling {
		t.Errorf("%d questions were answered in the end", len(rcodes))
	}
	eventually(t, "nobody is blocked", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.blocked == 0 && w.running <= limit && w.running == w.idle
	})
}

// The same holds where workers ask CoreDNS all questions. A worker that blocks is not one of
// those that the next question needs.
func TestB2BlockedWorkersAreReplaced(t *testing.T) {
	const limit, ceiling, more = 2, 3, 50
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, ceiling)}
	w := newWorkers()
	w.limit, w.waiting = limit, fair.NewPlaces(ceiling+1) // of which one client may have the ceiling
	server, client := loopback(t), loopback(t)
	s, meter := testBackend(t)
	s.Handler = h
	var open atomic.Int64
	ask := func(id int, name string) {
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		m.Id = uint16(id)
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		to := client.LocalAddr().(*net.UDPAddr).AddrPort()
		w.submit(w.newTask(s, &writer{conn: server, client: to}, packet, &open))
	}
	for i := range ceiling {
		ask(i, "wait.")
		<-h.in
	}
	for i := range more {
		ask(1000, "wait.")
		ask(2000+i, "now.")
		if got := replies(t, client, 1); got[uint16(2000+i)] != dns.RcodeRefused {
			t.Fatalf("replies are %v", got)
		}
	}
	eventually(t, "the others are discarded", func() bool { return meter.dropped.Load() == more })
	close(h.gate)
	eventually(t, "all are done", func() bool { return open.Load() == 0 })
}

// A padded question is read up to the size that replies say (RFC 7830).
func TestP13LongQuestions(t *testing.T) {
	h := handlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
	})
	_, _, client := serveOutside(t, h)
	for name, rcode := range ednsNames {
		short := len(ednsQuestion(t, name, &dns.EDNS0_PADDING{}))
		for _, size := range []int{512, 513, 900, reply.PacketSize, reply.PacketSize + 1} {
			packet := ednsQuestion(t, name, &dns.EDNS0_PADDING{Padding: make([]byte, size-short)})
			binary.BigEndian.PutUint16(packet, uint16(size))
			if _, err := client.Write(packet); err != nil {
				t.Fatal(err)
			}
			want := rcode
			if size > reply.PacketSize {
				want = dns.RcodeFormatError
			}
			if got, ok := replies(t, client, 1)[uint16(size)]; !ok || got != want {
				t.Errorf("%s in %d octets: %s", name, size, dns.RcodeToString[got])
			}
		}
	}
}
