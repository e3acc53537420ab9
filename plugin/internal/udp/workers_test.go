package udp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	await.True(t, time.Minute, what, condition)
}

// tally is a ListenerMeter for tests.
type tally struct{ answered, handedOver, dropped, lost, ignored, misrouted, panics, givenUp atomic.Int64 }

func (c *tally) Answered(n int)   { c.answered.Add(int64(n)) }
func (c *tally) HandedOver(n int) { c.handedOver.Add(int64(n)) }
func (c *tally) Dropped(n int)    { c.dropped.Add(int64(n)) }
func (c *tally) Lost(n int)       { c.lost.Add(int64(n)) }
func (c *tally) Ignored(n int)    { c.ignored.Add(int64(n)) }
func (c *tally) Misrouted()       { c.misrouted.Add(1) }
func (c *tally) Panicked()        { c.panics.Add(1) }
func (c *tally) GivenUp()         { c.givenUp.Add(1) }

type handlerFunc func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg)

// ServeDNS implements Handler.
func (f handlerFunc) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) { f(ctx, w, r) }

// blocker is a handler that blocks until its gate opens.
type blocker struct {
	mu    sync.Mutex
	names []string
	gate  chan struct{}
}

func (h *blocker) ServeDNS(_ context.Context, _ dns.ResponseWriter, m *dns.Msg) {
	h.mu.Lock()
	h.names = append(h.names, m.Question[0].Name)
	h.mu.Unlock()
	<-h.gate
}

func (h *blocker) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.names)
}

func submit(t *testing.T, w *workers, s *Backend, open *atomic.Int64, name string) {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	w.submit(w.newTask(s, &writer{}, packet, open))
}

// Under overload the newest question is next, the oldest is discarded and counted, and the
// numbers of workers and of questions are bounded.
func TestWorkersUnderOverload(t *testing.T) {
	const limit = 3
	w := newWorkers()
	w.limit = limit
	h, meter := &blocker{gate: make(chan struct{})}, new(tally)
	s := &Backend{Handler: h, Meter: meter}
	var open atomic.Int64
	before := runtime.NumGoroutine()
	for range limit {
		submit(t, w, s, &open, "busy.")
	}
	eventually(t, "all workers are busy", func() bool { return h.count() == limit })
	const given = maxPending + 10
	for i := range given {
		submit(t, w, s, &open, string(rune('a'+i%26))+".")
	}
	if n := runtime.NumGoroutine() - before; n > limit {
		t.Errorf("%d goroutines, want %d", n, limit)
	}
	if n := meter.dropped.Load(); n != 10 {
		t.Errorf("%d questions were dropped, want 10", n)
	}
	if n := open.Load(); n != limit+maxPending {
		t.Errorf("%d questions are open, want %d", n, limit+maxPending)
	}
	h.gate <- struct{}{}
	eventually(t, "one more", func() bool { return h.count() == limit+1 })
	newest := string(rune('a'+(given-1)%26)) + "."
	if h.mu.Lock(); h.names[limit] != newest {
		t.Errorf("%s was next, want the newest, %s", h.names[limit], newest)
	}
	h.mu.Unlock()
	close(h.gate)
	eventually(t, "all are done", func() bool { return open.Load() == 0 })
	if n := h.count(); n != limit+maxPending {
		t.Errorf("%d questions were served, want %d", n, limit+maxPending)
	}
}

// Some workers, but not all, stay idle for the next question.
func TestWorkersIdle(t *testing.T) {
	w := newWorkers()
	h := &blocker{gate: make(chan struct{})}
	s := &Backend{Handler: h, Meter: new(tally)}
	var open atomic.Int64
	for range 3 * maxIdle {
		submit(t, w, s, &open, "x.")
	}
	close(h.gate)
	eventually(t, "the rest has ended", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.running == maxIdle && w.idle == maxIdle
	})
	for range 10 * maxIdle {
		submit(t, w, s, &open, "x.")
	}
	eventually(t, "all are done", func() bool { return open.Load() == 0 })
}

// rejected returns the reply to a packet that CoreDNS must not get.
func rejected(t *testing.T, packet []byte) *dns.Msg {
	t.Helper()
	return served(t, &Backend{Handler: handlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) { t.Error("it was handled") })}, packet)
}

// served returns the reply of a backend's handler to a packet.
func served(t *testing.T, s *Backend, packet []byte) *dns.Msg {
	t.Helper()
	server, client := loopback(t), loopback(t)
	to := client.LocalAddr().(*net.UDPAddr).AddrPort()
	s.serve(t.Context(), &writer{conn: server, client: netip.AddrPortFrom(to.Addr().Unmap(), to.Port())}, packet)
	buf := make([]byte, dns.MaxMsgSize)
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := client.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(buf[:n]); err != nil {
		t.Fatal(err)
	}
	return m
}

func loopback(t *testing.T) *net.UDPConn { return listenAt(t, "127.0.0.1") }

func listenAt(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(address)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// A malformed question is rejected as by the server of miekg/dns.
func TestServeRejects(t *testing.T) {
	question, err := new(dns.Msg).SetQuestion("a.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, to byte) []byte {
		p := slices.Clone(question)
		p[at] = to
		return p
	}
	for _, tc := range []struct {
		title  string
		packet []byte
		rcode  int
	}{
		{"no opcode of ours", change(2, 5<<3), dns.RcodeNotImplemented},
		{"two questions", change(5, 2), dns.RcodeFormatError},
		{"three additional records", change(11, 3), dns.RcodeFormatError},
		{"a name that has no end", question[:14], dns.RcodeFormatError},
	} {
		m := rejected(t, tc.packet)
		if m.Rcode != tc.rcode || !m.Response || m.Id != dns.Id() && m.Id != uint16(question[0])<<8|uint16(question[1]) {
			t.Errorf("%s: %s", tc.title, m)
		}
	}
}

// A signed question is answered with a signature (RFC 8945 5.3).
func TestServeSigns(t *testing.T) {
	const key, secret = "key.", "c2VjcmV0c2VjcmV0c2VjcmV0"
	m := new(dns.Msg).SetQuestion("a.", dns.TypeA)
	m.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
	packet, mac, err := dns.TsigGenerate(m, secret, "", false)
	if err != nil {
		t.Fatal(err)
	}
	for known, want := range map[string]error{key: nil, "other.": dns.ErrSecret} {
		server, client := loopback(t), loopback(t)
		s := &Backend{Secrets: map[string]string{known: secret}}
		s.Handler = handlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) {
			if err := w.TsigStatus(); !errors.Is(err, want) {
				t.Errorf("status %v, want %v", err, want)
			}
			reply := new(dns.Msg).SetReply(r)
			if want == nil {
				reply.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
			}
			if err := w.WriteMsg(reply); err != nil {
				t.Error(err)
			}
		})
		s.serve(t.Context(), &writer{conn: server, client: client.LocalAddr().(*net.UDPAddr).AddrPort()}, slices.Clone(packet))
		buf := make([]byte, 512)
		_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := client.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if err := dns.TsigVerify(buf[:n], secret, mac, false); (err == nil) != (want == nil) {
			t.Errorf("with the key of %s: %v", known, err)
		}
	}
}

// A question never waits for another one while there may be one more worker.
func TestWorkersDoNotWaitForEachOther(t *testing.T) {
	w, h := newWorkers(), &blocker{gate: make(chan struct{})}
	s := &Backend{Handler: h, Meter: new(tally)}
	var open atomic.Int64
	for idle := range maxIdle {
		before := h.count()
		for range idle + 1 {
			submit(t, w, s, &open, "x.")
		}
		eventually(t, "all are worked on", func() bool { return h.count() == before+idle+1 })
		for range idle + 1 {
			h.gate <- struct{}{}
		}
		eventually(t, "all workers are idle", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.idle == idle+1
		})
	}
}
