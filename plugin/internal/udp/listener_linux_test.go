package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/machine"
)

// reuse opens a socket as CoreDNS does, and answers there with SERVFAIL.
func reuse(t testing.TB, network, address string, misrouted func()) *net.UDPConn {
	t.Helper()
	config := net.ListenConfig{Control: control}
	pc, err := config.ListenPacket(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeServerFailure))
	}), DecorateWriter: func(w dns.Writer) dns.Writer {
		misrouted()
		return w
	}}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return pc.(*net.UDPConn)
}

// logged is the log of a registry.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) printf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, format+"\n", v...)
}

// String implements fmt.Stringer.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func testRegistry(t testing.TB) (*Registry, *logged) {
	t.Helper()
	log := new(logged)
	r := NewRegistry(log.printf)
	t.Cleanup(func() {
		r.Stop(t)
		r.Wait()
	})
	return r, log
}

func rcodeAt(t testing.TB, address, name string) int {
	t.Helper()
	client := dns.Client{Timeout: 20 * time.Second}
	m, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), address)
	if err != nil {
		t.Fatalf("%s at %s: %v", name, address, err)
	}
	return m.Rcode
}

// A wildcard listener has a socket at each address, and replies come from the address that
// was asked.
func TestListenerEverywhere(t *testing.T) {
	conn := reuse(t, "udp", ":0", func() {})
	port := conn.LocalAddr().(*net.UDPAddr).Port
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	if _, err := r.Serve(netip.MustParseAddrPort(fmt.Sprintf("[::]:%d", port)), s); err != nil {
		t.Fatal(err)
	}
	addresses, err := machine.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range addresses {
		at := netip.AddrPortFrom(a, uint16(port)).String()
		if rcode := rcodeAt(t, at, "web.a.svc.cluster.local."); rcode != dns.RcodeSuccess {
			t.Errorf("%s: %s", at, dns.RcodeToString[rcode])
		}
		if rcode := rcodeAt(t, at, "example.com."); rcode != dns.RcodeRefused {
			t.Errorf("%s: %s", at, dns.RcodeToString[rcode])
		}
		eventually(t, "the answer is counted", func() bool { return meter.answered.Load() == int64(i+1) })
	}
	r.Stop(t)
	if rcode := rcodeAt(t, fmt.Sprintf("127.0.0.1:%d", port), "web.a.svc.cluster.local."); rcode != dns.RcodeServerFailure {
		t.Errorf("after the end: %s", dns.RcodeToString[rcode])
	}
}

// A listener leaves an address to another process that listens there.
func TestListenerLeavesOthersAlone(t *testing.T) {
	conn := reuse(t, "udp", ":0", func() {})
	port := conn.LocalAddr().(*net.UDPAddr).Port
	at := fmt.Sprintf("127.0.0.1:%d", port)
	reuse(t, "udp4", at, func() {})
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	if _, err := r.Serve(netip.MustParseAddrPort(fmt.Sprintf("[::]:%d", port)), s); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if rcode := rcodeAt(t, at, "web.a.svc.cluster.local."); rcode != dns.RcodeServerFailure {
			t.Fatalf("%s: %s", at, dns.RcodeToString[rcode])
		}
	}
	if n := meter.answered.Load(); n != 0 {
		t.Errorf("%d packets came to us", n)
	}
}

// A socket beside CoreDNS's own gets all packets, whatever its index in the group is.
func TestListenerShared(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	l, err := r.Serve(at, s)
	if err != nil {
		t.Fatal(err)
	}
	second := reuse(t, "udp4", at.String(), l.Misrouted)
	const questions = 200
	for range questions {
		rcodeAt(t, at.String(), "web.a.svc.cluster.local.")
	}
	eventually(t, "all answers are counted", func() bool { return meter.answered.Load() == questions })
	// The last socket of the group takes the place of the one that closes.
	_ = conn.Close()
	eventually(t, "packets come to us again", func() bool {
		before := meter.answered.Load()
		for range 20 {
			rcodeAt(t, at.String(), "web.a.svc.cluster.local.")
		}
		eventually(t, "a meter in motion comes to rest", func() bool { return meter.answered.Load() >= before })
		return meter.answered.Load() >= before+19
	})
	r.Stop(t)
	if rcode := rcodeAt(t, at.String(), "web.a.svc.cluster.local."); rcode != dns.RcodeServerFailure {
		t.Errorf("after the end: %s", dns.RcodeToString[rcode])
	}
	_ = second
	if log.String() != "" {
		t.Errorf("logged:\n%s", log)
	}
}

// stuckMeter keeps a reader from going on once it has read a packet that is not a question.
type stuckMeter struct {
	ListenerMeter
	gate chan struct{}
}

// Ignored implements ListenerMeter.
func (m *stuckMeter) Ignored(n int) {
	<-m.gate
	m.ListenerMeter.Ignored(n)
}

// A machine that is too busy for probes at the start does not turn the listener off.
func TestListenerBusyAtTheStart(t *testing.T) {
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	stuck := &stuckMeter{s.Meter, make(chan struct{})}
	s.Meter = stuck
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if _, err := r.Serve(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), s); err != nil {
		t.Fatal(err)
	}
	close(stuck.gate)
	eventually(t, "packets come to us", func() bool {
		before := meter.answered.Load()
		for range 20 {
			rcodeAt(t, at.String(), ourName)
		}
		return meter.answered.Load() >= before+20
	})
	if text := log.String(); strings.Contains(text, "given up") {
		t.Errorf("logged:\n%s", text)
	}
}

// A packet that is not a question gets no reply.
func TestListenerIgnores(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	if _, err := r.Serve(at, s); err != nil {
		t.Fatal(err)
	}
	client, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	reply, err := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA)).Pack()
	if err != nil {
		t.Fatal(err)
	}
	// The listener's probes are counted once a later question is answered.
	rcodeAt(t, at.String(), ourName)
	before := meter.ignored.Load()
	for n, packet := range [][]byte{{}, {0}, make([]byte, 11), reply, reply[:12]} {
		if _, err := client.Write(packet); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is ignored", func() bool { return meter.ignored.Load() == before+int64(n)+1 })
	}
	question, err := new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write(question); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 512)
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := client.Read(buf); err != nil || string(buf[:2]) != string(question[:2]) {
		t.Errorf("the first that is answered is %x: %v", buf[:n], err)
	}
}

// Serve fails if no socket can be opened.
func TestListenerFails(t *testing.T) {
	r, _ := testRegistry(t)
	s, _ := testBackend(t)
	if l, err := r.Serve(netip.MustParseAddrPort("192.0.2.1:53"), s); err == nil || l != nil {
		t.Errorf("a listener on an address that is not ours: %v", err)
	}
}

// If answering a packet panics, CoreDNS gets the packet, and the next packet is answered.
// Each panic is counted. It is logged, whatever was logged before, unless there are very
// many.
func TestC9PanicsAreCountedAndLogged(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	s.Zones[0].Block.Claimed = func(q *answer.Question, _ netip.Addr) bool {
		if q.Type == dns.TypeA && q.Name().Labels() == 6 {
			panic("of the test")
		}
		return false
	}
	l, err := r.Serve(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), s)
	if err != nil {
		t.Fatal(err)
	}
	l.trouble(errors.New("trouble with a socket"))
	for range 3 {
		if rcode := rcodeAt(t, at.String(), "bad.web.a.svc.cluster.local."); rcode != dns.RcodeRefused {
			t.Errorf("a panic: %s", dns.RcodeToString[rcode])
		}
		if rcode := rcodeAt(t, at.String(), "web.a.svc.cluster.local."); rcode != dns.RcodeSuccess {
			t.Errorf("after a panic: %s", dns.RcodeToString[rcode])
		}
	}
	eventually(t, "all is counted", func() bool {
		return meter.panics.Load() == 3 && meter.handedOver.Load() == 3 && meter.answered.Load() == 3
	})
	const many = 1000
	for range many {
		l.panicked(s, "of the test")
	}
	r.Stop(t)
	r.Wait()
	if n := meter.panics.Load(); n != 3+many {
		t.Errorf("%d panics were counted", n)
	}
	if n := strings.Count(log.String(), "of the test"); n < 3 || n > many/10 {
		t.Errorf("logged %d times:\n%s", n, log)
	}
}

// A listener with a broken socket closes all, and CoreDNS answers.
func TestListenerGivesUp(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	l, err := r.Serve(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), s)
	if err != nil {
		t.Fatal(err)
	}
	// The reader does not expect that.
	_ = l.sockets[0].conn.Close()
	eventually(t, "it is given up", func() bool { return meter.givenUp.Load() == 1 })
	eventually(t, "CoreDNS answers", func() bool { return rcodeAt(t, at.String(), "web.a.svc.cluster.local.") == dns.RcodeServerFailure })
	for range 20 {
		l.Misrouted()
		if rcode := rcodeAt(t, at.String(), "web.a.svc.cluster.local."); rcode != dns.RcodeServerFailure {
			t.Fatalf("it is answered by us: %s", dns.RcodeToString[rcode])
		}
	}
	r.Stop(t)
	if n := strings.Count(log.String(), "given up"); n != 1 {
		t.Errorf("logged:\n%s", log)
	}
}
