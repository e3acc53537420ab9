package fastpath_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// packets returns how many packets a listener has counted with an outcome.
func packets(t testing.TB, port int, outcome string) float64 {
	t.Helper()
	return packetsAt(t, "127.0.0.1", port, outcome)
}

func packetsAt(t testing.TB, host string, port int, outcome string) float64 {
	t.Helper()
	return metrics.Total(t, "coredns_clusterdns_fastpath_packets_total", fmt.Sprintf("server=dns://%s:%d", host, port), "outcome="+outcome)
}

// pester sends questions until the test ends. lost returns how many got no reply so far.
func pester(t *testing.T, port int) (lost func() int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	none, done := 0, make(chan struct{})
	packet, err := new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		group.Go(func() {
			for !isClosed(done) {
				if !asked(port, packet) {
					mu.Lock()
					none++
					mu.Unlock()
				}
			}
		})
	}
	t.Cleanup(func() {
		close(done)
		group.Wait()
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return none
	}
}

func isClosed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// asked reports whether a question from a new socket got a reply: the kernel chooses among
// the sockets of an address by the client's port.
func asked(port int, packet []byte) bool {
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(packet); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 512))
	return err == nil
}

const reloadCorefile = ".:PORT {\n bind 127.0.0.1\n multisocket %d\n OURS\n whoami\n}\n"

func socketsCorefile(t *testing.T, sockets, port int) string {
	t.Helper()
	return fastCorefile(t, fmt.Sprintf(reloadCorefile, sockets), port)
}

// CoreDNS's sockets open and close, and change the reuseport group. Nearly all packets
// still arrive at ours, and all are answered.
func TestFastPathKeepsItsShare(t *testing.T) {
	port := freePort(t)
	i := coredns.StartTest(t, socketsCorefile(t, 2, port))
	if service, reason := fastService(t, i, port); service == nil {
		t.Fatal(reason)
	}
	lost := pester(t, port)
	for _, sockets := range []int{1, 2, 1, 2} {
		if err := i.Reload(coredns.Input(socketsCorefile(t, sockets, port))); err != nil {
			t.Fatal(err)
		}
		fastService(t, i, port)
		await.True(t, time.Minute, "nearly all packets come to our sockets again", settles(t, port))
	}
	missed, answered := packets(t, port, "missed"), packets(t, port, "answered")
	t.Logf("%v packets missed our sockets, %v came to them", missed, answered)
	// Packets in a socket of CoreDNS are lost when it closes, with or without us.
	if n := lost(); float64(n) > (answered+missed)/1000 {
		t.Errorf("%d questions of %v got no reply", n, answered+missed)
	}
}

// settles reports whether, of ten thousand packets since its last call, at most one in a
// hundred missed our sockets.
func settles(t testing.TB, port int) func() bool {
	missed, answered := packets(t, port, "missed"), packets(t, port, "answered")
	return func() bool {
		m, a := packets(t, port, "missed")-missed, packets(t, port, "answered")-answered
		if a < 10000 {
			return false
		}
		missed, answered = missed+m, answered+a
		return m <= a/100
	}
}

// A hundred reloads leave no socket and no goroutine behind.
func TestFastPathReloadsLeaveNothing(t *testing.T) {
	port := freePort(t)
	corefile := fastCorefile(t, reloadCorefile, port)
	i := coredns.StartTest(t, fmt.Sprintf(corefile, 1))
	fastService(t, i, port)
	for n := range 100 {
		if n == 5 {
			t.Logf("after %d reloads: %d goroutines", n, runtime.NumGoroutine())
		}
		if n%10 == 0 { // another watch
			corefile = fastCorefile(t, reloadCorefile, port)
		}
		if err := i.Reload(coredns.Input(fmt.Sprintf(corefile, 1+n%2))); err != nil {
			t.Fatal(err)
		}
		await.True(t, time.Minute, "all servers read their sockets", allServe)
	}
	if m := exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA); len(m.Answer) != 1 {
		t.Errorf("no answer:\n%s", m)
	}
	i.Stop()
	await.True(t, time.Minute, "all is closed", func() bool { return runtime.NumGoroutine() < 100 && udpSockets(t, port) == 0 })
}

// allServe reports whether CoreDNS has servers and each reads its socket. CoreDNS cannot stop one that does
// not yet.
func allServe() bool {
	stacks := make([]byte, 8<<20)
	text := string(stacks[:runtime.Stack(stacks, true)])
	servers := strings.Count(text, "dnsserver.(*Server).ServePacket(")
	return servers > 0 && servers == strings.Count(text, "dns.(*Server).serveUDP(")
}

// udpSockets returns the number of sockets that are bound to a port.
func udpSockets(t *testing.T, port int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), fmt.Sprintf("0100007F:%04X", port))
}

// No question is lost when the fast path begins to hand everything over, or ends and
// CoreDNS goes on alone.
func TestFastPathTurnedOff(t *testing.T) {
	port := freePort(t)
	i := coredns.StartTest(t, socketsCorefile(t, 1, port))
	fastService(t, i, port)
	lost := pester(t, port)
	const off = "proxyproto {\n allow 192.0.2.0/24\n}"
	for _, lines := range []string{off, "errors", "log", "errors", "log", off, "log", "errors"} {
		if err := i.Reload(coredns.Input(fastCorefile(t, ".:PORT {\n bind 127.0.0.1\n"+lines+"\n OURS\n whoami\n}\n", port))); err != nil {
			t.Fatal(err)
		}
		service, reason := fastService(t, i, port)
		if (service == nil) != (lines == off) || (reason == "") != (lines == "errors") {
			t.Fatalf("with %s: off %v, for the reason %q", lines, service == nil, reason)
		}
	}
	answered := packets(t, port, "answered")
	await.True(t, time.Minute, "packets are answered again", func() bool { return packets(t, port, "answered") > answered+1000 })
	if n := lost(); n > 0 {
		t.Errorf("%d questions got no reply", n)
	}
}

// ending is told that an instance is about to shut down its plugins. gate keeps the servers of the
// instance that starts from starting.
var (
	ending chan struct{}
	gate   chan struct{}
)

func init() {
	dnsserver.Directives = append([]string{"ending"}, append(dnsserver.Directives, "gate")...)
	plugin.Register("ending", func(c *caddy.Controller) error {
		tell := ending
		c.OnShutdown(func() error {
			if tell != nil {
				close(tell)
			}
			return nil
		})
		return nil
	})
	plugin.Register("gate", func(c *caddy.Controller) error {
		server, wait := dnsserver.GetConfig(c), gate
		decorate := server.UDPDecorateWriterFunc
		server.UDPDecorateWriterFunc = func(s *dnsserver.Server) dns.DecorateWriter {
			if wait != nil {
				<-wait
			}
			return decorate(s)
		}
		return nil
	})
}

// shutGate keeps servers from starting until open is called.
func shutGate() (open func()) {
	opens := make(chan struct{})
	gate = opens
	return sync.OnceFunc(func() { close(opens) })
}

// CoreDNS starts servers in the background. A reload ends only when the next instance serves, and the
// sockets of the last one answer until then.
func TestFastPathAnswersUntilTheNextServes(t *testing.T) {
	fastpath.BePatient(t)
	port := freePort(t)
	corefile := fastCorefile(t, ".:PORT {\n bind 127.0.0.1\n ending\n OURS\n gate\n whoami\n}\n", port)
	ending, gate = make(chan struct{}), nil
	i := coredns.StartTest(t, corefile)
	fastService(t, i, port)
	ends := ending
	ending = nil
	open := shutGate()
	t.Cleanup(open)
	reloaded := make(chan error, 1)
	go func() { reloaded <- i.Reload(coredns.Input(corefile)) }()
	<-ends
	answered := packets(t, port, "answered")
	pester(t, port)
	await.True(t, time.Minute, "questions are answered", func() bool { return packets(t, port, "answered") > answered+1000 })
	open()
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA)
}

// CoreDNS cannot stop a server that has not started. A reload waits for it, so that it does not serve
// beside the next one for good.
func TestFastPathReloadBeforeTheStart(t *testing.T) {
	fastpath.BePatient(t)
	port := freePort(t)
	corefile := fastCorefile(t, ".:PORT {\n bind 127.0.0.1\n OURS\n gate\n whoami\n}\n", port)
	open := shutGate()
	i := coredns.StartTest(t, corefile)
	t.Cleanup(open)
	gate = nil
	reloaded := make(chan error, 1)
	go func() { reloaded <- i.Reload(coredns.Input(corefile)) }()
	select {
	case err := <-reloaded:
		t.Fatalf("the reload did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	open()
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	await.True(t, time.Minute, "all servers read their sockets", allServe)
	i.Stop()
	await.True(t, time.Minute, "all is closed", func() bool { return udpSockets(t, port) == 0 })
}
