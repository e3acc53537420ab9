package tcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

// upstream stands for CoreDNS's plugins: it answers names with "slow" when it is told to, and all
// others at once with REFUSED.
type upstream struct {
	slow  chan struct{} // closed, or sent to for each answer
	asked atomic.Int64
	extra int // octets of data in an answer
}

func (u *upstream) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) {
	u.asked.Add(1)
	m := new(dns.Msg).SetRcode(r, dns.RcodeRefused)
	if len(r.Question) > 0 && strings.Contains(r.Question[0].Name, "slow") {
		<-u.slow
	}
	if u.extra > 0 {
		m.Rcode = dns.RcodeSuccess
		m.Extra = []dns.RR{&dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL, Class: dns.ClassINET}, Data: strings.Repeat("x", u.extra)}}
	}
	_ = w.WriteMsg(m)
}

// started is a server that takes connections over.
type started struct {
	*Server
	upstream *upstream
	core     *dns.Server
	addr     string
	taken    atomic.Int64 // connections
}

// start starts a server with a Service web and one with many addresses.
func start(t *testing.T, change func(*Server)) *started {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := &upstream{slow: make(chan struct{})}
	s := &started{upstream: up, addr: l.Addr().String(), Server: &Server{
		Zones: zonesOf(t), Handler: up, Context: t.Context(),
		Takes: true, Idle: time.Minute, Write: time.Minute, Aside: fair.NewPlaces(1000), Crowd: newCrowd(1000, func(netip.Addr, int) {}), Panicked: func(any) {},
	}}
	if change != nil {
		change(s.Server)
	}
	s.core = &dns.Server{Listener: smallBuffers{l}, MaxTCPQueries: -1, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		s.taken.Add(1)
		if !s.Take(w, r) {
			s.taken.Add(-1)
			s.Handler.ServeDNS(s.Context, w, r)
		}
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.core.ActivateAndServe()
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	t.Cleanup(func() { s.release(t) })
	return s
}

// smallBuffers makes the kernel keep little of what is written and not read.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(16 << 10)
	}
	return conn, err
}

// release lets all slow answers go.
func (s *started) release(t *testing.T) {
	t.Helper()
	select {
	case <-s.upstream.slow:
	default:
		close(s.upstream.slow)
	}
}

func zonesOf(t *testing.T) reply.Zones {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	txn.PutNamespace("a")
	web := &cluster.Service{Key: cluster.Key{Namespace: "a", Name: "web"}, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.4.0.1")}}
	many := &cluster.Service{Key: cluster.Key{Namespace: "a", Name: "many"}}
	for i := range 4000 {
		many.ClusterIPs = append(many.ClusterIPs, netip.AddrFrom4([4]byte{10, 5, byte(i >> 8), byte(i)}))
	}
	txn.ReplaceService(nil, web)
	txn.ReplaceService(nil, many)
	txn.SetSynced()
	txn.Commit()
	origin, err := resolve.ParseOrigin("cluster.local.")
	if err != nil {
		t.Fatal(err)
	}
	block := &reply.Block{Store: store, View: &resolve.View{Origins: []resolve.Origin{origin}, TTL: 5}}
	return reply.Zones{{Origin: origin, Block: block}}
}

// client is a client with one connection.
type client struct {
	t    *testing.T
	conn *net.TCPConn
}

func (s *started) dial(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn.(*net.TCPConn)}
}

const (
	own     = "web.a.svc.cluster.local."
	outside = "www.example.org."
	slow    = "slow.example.org."
	many    = "many.a.svc.cluster.local."
)

// framed returns a question with its length ahead.
func framed(t *testing.T, id uint16, name string) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m.Id = id
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
}

// ask writes questions in one write, with the numbers from first on.
func (c *client) ask(first uint16, names ...string) {
	c.t.Helper()
	var all []byte
	for i, name := range names {
		all = append(all, framed(c.t, first+uint16(i), name)...)
	}
	if _, err := c.conn.Write(all); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive() (*dns.Msg, error) {
	var size [prefix]byte
	if _, err := io.ReadFull(c.conn, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c.conn, wire); err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	return m, m.Unpack(wire)
}

// expect receives answers with these numbers, in this order.
func (c *client) expect(ids ...uint16) {
	c.t.Helper()
	for _, id := range ids {
		m, err := c.receive()
		if err != nil || m.Id != id {
			c.t.Fatalf("received %v, %v, want the answer to %d", m, err, id)
		}
	}
}

func (c *client) expectEnd() {
	c.t.Helper()
	if m, err := c.receive(); !errors.Is(err, io.EOF) {
		c.t.Fatalf("received %v, %v, want the end", m, err)
	}
}

// An answer that is ready does not wait for one that is not, whichever question came first.
func TestAnswersLeaveAsTheyAreReady(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t)
	c.ask(1, slow, own, own)
	c.expect(2, 3)
	c.ask(4, slow, own)
	c.expect(5)
	c.ask(6, outside)
	c.expect(6)
	c.ask(7, own)
	c.expect(7)
	s.upstream.slow <- struct{}{}
	first, err := c.receive()
	if err != nil || first.Id != 1 && first.Id != 4 {
		t.Fatalf("%v, %v", first, err)
	}
	s.upstream.slow <- struct{}{}
	c.expect(5 - first.Id)
	if n := s.upstream.asked.Load(); n != 3 {
		t.Errorf("CoreDNS was asked %d questions", n)
	}
}

// A client that sends FIN behind its questions gets all answers, and then FIN.
func TestHalfClose(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t)
	c.ask(1, own, slow, own)
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.expect(1, 3)
	s.upstream.slow <- struct{}{}
	c.expect(2)
	c.expectEnd()
}

// A client that closes the connection, whatever it has sent, leaves nothing behind.
func TestAbortedConnections(t *testing.T) {
	s := start(t, nil)
	for i := range 20 {
		c := s.dial(t)
		c.ask(1, own)
		c.expect(1)
		if _, err := c.conn.Write(framed(t, 2, own)[:1+i]); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			_ = c.conn.SetLinger(0) // sends RST
		}
		_ = c.conn.Close()
	}
	s.ends(t)
}

// ends waits until the server has no connection.
func (s *started) ends(t *testing.T) {
	t.Helper()
	await.True(t, 20*time.Second, "all connections have ended", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.Pause(true)
		return s.core.ShutdownContext(ctx) == nil
	})
}

// Octets that come one by one make the same questions.
func TestOctetByOctet(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t)
	for _, octet := range append(framed(t, 1, own), append(framed(t, 2, outside), framed(t, 3, own)...)...) {
		if _, err := c.conn.Write([]byte{octet}); err != nil {
			t.Fatal(err)
		}
	}
	c.ask(4, own)
	seen := map[uint16]bool{}
	for range 4 {
		m, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		seen[m.Id] = true
	}
	if len(seen) != 4 {
		t.Errorf("answers %v", seen)
	}
}

// The time for a question does not begin anew with each of its octets.
func TestTricklingClientIsClosed(t *testing.T) {
	s := start(t, func(s *Server) { s.Idle = 200 * time.Millisecond })
	c := s.dial(t)
	c.ask(1, own)
	c.expect(1)
	go func() {
		for _, octet := range framed(t, 2, strings.Repeat("long.", 40)+own) {
			if _, err := c.conn.Write([]byte{octet}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if m, err := c.receive(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("received %v, %v", m, err)
	}
}

// An idle connection is closed, and one with a question that waits is not.
func TestIdle(t *testing.T) {
	const idle = 100 * time.Millisecond
	s := start(t, func(s *Server) { s.Idle = idle })
	waiting := s.dial(t)
	waiting.ask(1, slow)
	for range 3 {
		c := s.dial(t)
		begin := time.Now()
		c.ask(1, own)
		c.expect(1)
		c.expectEnd()
		if d := time.Since(begin); d < idle {
			t.Errorf("closed after %v", d)
		}
	}
	waiting.ask(2, own)
	waiting.expect(2)
	s.upstream.slow <- struct{}{}
	waiting.expect(1)
	waiting.expectEnd()
}

// A client that reads nothing holds up its own connection alone, and is closed.
func TestClientThatNeverReads(t *testing.T) {
	s := start(t, func(s *Server) { s.Write = 300 * time.Millisecond })
	deaf := s.dial(t)
	_ = deaf.conn.SetReadBuffer(1 << 10)
	asked := make(chan error, 1)
	go func() {
		questions := framed(t, 1, many)
		for {
			if _, err := deaf.conn.Write(questions); err != nil {
				asked <- err
				return
			}
		}
	}()
	c := s.dial(t)
	await.True(t, 50*time.Second, "the connection is closed", func() bool {
		c.ask(1, own, outside)
		for range 2 {
			if _, err := c.receive(); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err := <-asked:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection goes on")
			}
			return true
		default:
			return false
		}
	})
}

// While a connection has as many questions aside as it may have, it is not read, and others are.
func TestQuestionsAsideAreBounded(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t)
	names := make([]string, maxAside+1)
	for i := range names {
		names[i] = slow
	}
	c.ask(1, names...)
	c.ask(1000, own)
	await.True(t, 20*time.Second, "all places are taken", func() bool { return s.upstream.asked.Load() == maxAside })
	other := s.dial(t)
	other.ask(1, slow, own)
	other.expect(2)
	_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if m, err := c.receive(); err == nil {
		t.Fatalf("received %v", m)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
	s.release(t)
	seen := map[uint16]bool{}
	for range maxAside + 2 {
		m, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		seen[m.Id] = true
	}
	if len(seen) != maxAside+2 || !seen[1000] {
		t.Errorf("%d answers", len(seen))
	}
}

// A client with too many questions aside gets its answers one after the other, and another one does
// not.
func TestNoPlaceAside(t *testing.T) {
	s := start(t, func(s *Server) { s.Aside = fair.NewPlaces(1) })
	c := s.dial(t)
	c.ask(1, slow, own, slow, own)
	c.expect(2)
	await.True(t, 20*time.Second, "the second waits", func() bool { return s.upstream.asked.Load() == 2 })
	s.release(t)
	seen := map[uint16]bool{}
	for range 3 {
		m, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		seen[m.Id] = true
	}
	if !seen[1] || !seen[3] || !seen[4] {
		t.Errorf("answers %v", seen)
	}
}

// Questions and answers may have the largest size of a message.
func TestLargestMessages(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t)
	large := new(dns.Msg).SetQuestion(own, dns.TypeA).SetEdns0(1232, false)
	large.Id = 2
	filler := &dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART}
	filler.Data = make([]byte, dns.MaxMsgSize-large.Len()-4)
	large.IsEdns0().Option = []dns.EDNS0{filler}
	packet, err := large.Pack()
	if err != nil || len(packet) != dns.MaxMsgSize {
		t.Fatalf("%d octets, %v", len(packet), err)
	}
	c.ask(1, own)
	c.expect(1)
	for range 3 {
		if _, err := c.conn.Write(append(binary.BigEndian.AppendUint16(framed(t, 1, own), uint16(len(packet))), packet...)); err != nil {
			t.Fatal(err)
		}
		c.expect(1, 2)
	}
	c.ask(3, many, many, many)
	for id := range uint16(3) {
		m, err := c.receive()
		if err != nil || m.Id != 3+id || len(m.Answer) != 4000 || m.Truncated {
			t.Fatalf("%d: %d records, %v", id, len(m.Answer), err)
		}
	}
	for _, size := range []int{4000, 4096, 5000, dns.MaxMsgSize} {
		bare := new(dns.Msg).SetQuestion(outside, dns.TypeA)
		bare.Extra = []dns.RR{&dns.NULL{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNULL, Class: dns.ClassINET}}}
		s.upstream.extra = size - bare.Len()
		c.ask(9, outside)
		m, err := c.receive()
		if err != nil || m.Len() != size {
			t.Fatalf("%d octets: %v", size, err)
		}
	}
}

// When CoreDNS ends its connections, those that are idle end at once, and others when their
// questions are answered.
func TestShutdown(t *testing.T) {
	s := start(t, nil)
	idle, busy := s.dial(t), s.dial(t)
	idle.ask(1, own)
	idle.expect(1)
	busy.ask(1, slow, own)
	busy.expect(2)
	s.Pause(true)
	ended := make(chan error, 1)
	go func() { ended <- s.core.ShutdownContext(t.Context()) }()
	idle.expectEnd()
	select {
	case err := <-ended:
		t.Fatalf("ended while a question waits: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.upstream.slow <- struct{}{}
	busy.expect(1)
	busy.expectEnd()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A paused server takes no connection, and CoreDNS goes on to read it.
func TestPausedServerTakesNothing(t *testing.T) {
	s := start(t, nil)
	s.Pause(true)
	c := s.dial(t)
	c.ask(1, own, outside)
	c.expect(1, 2)
	if n := s.upstream.asked.Load(); n != 2 || s.taken.Load() != 0 {
		t.Errorf("CoreDNS was asked %d times, %d connections were taken", n, s.taken.Load())
	}
}

// A panic is reported, and CoreDNS gets the question.
func TestPanics(t *testing.T) {
	var panics atomic.Int64
	s := start(t, func(s *Server) {
		s.Panicked = func(any) { panics.Add(1) }
		s.Zones[0].Block.Claimed = func(q *answer.Question, _ netip.Addr) bool {
			if q.Type == dns.TypeA && q.Name().Labels() == 6 {
				panic("of the test")
			}
			return false
		}
	})
	c := s.dial(t)
	c.ask(1, own, "bad."+own)
	c.expect(1, 2)
	c.ask(3, own)
	c.expect(3)
	if n := panics.Load(); n != 1 || s.upstream.asked.Load() != 1 {
		t.Errorf("%d panics, CoreDNS was asked %d times", n, s.upstream.asked.Load())
	}
}

// Messages that are no questions get what the server of miekg/dns would send.
func TestOddMessages(t *testing.T) {
	s := start(t, nil)
	plain := &dns.Server{MaxTCPQueries: -1, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) { s.upstream.ServeDNS(t.Context(), w, r) })}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain.Listener = l
	go func() { _ = plain.ActivateAndServe() }()
	t.Cleanup(func() { _ = l.Close() })
	miekg := &started{addr: l.Addr().String()}
	for _, packet := range []string{
		"", "\x00", "\x00\x09", "\x00\x09\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", // no question
		"\x00\x09\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01", // a reply
		"\x00\x09\x09\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01", // another opcode
		"\x00\x09\x21\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01", // NOTIFY
		"\x00\x09\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x01\x00\x01",
		"\x00\x09\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x3fabc", // cut in the name
		"\x00\x09\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc\x00\x00\x01",
		"\x00\x09\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc\x00\x00\x01\x00\x01trailing",
	} {
		var texts [2]string
		for i, c := range []*client{s.dial(t), miekg.dial(t)} {
			c.ask(1, outside)
			c.expect(1)
			if _, err := c.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)); err != nil {
				t.Fatal(err)
			}
			_ = c.conn.CloseWrite()
			m, err := c.receive()
			for ; err == nil; m, err = c.receive() {
				texts[i] += fmt.Sprint(m)
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%x: %v", packet, err)
			}
		}
		if texts[0] != texts[1] {
			t.Errorf("%x: %q, want %q", packet, texts[0], texts[1])
		}
	}
}
