package fastpath_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/health"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// besiege asks for outside names at each address until the test ends.
func besiege(t *testing.T, addresses []netip.AddrPort) {
	t.Helper()
	var group sync.WaitGroup
	done := make(chan struct{})
	for _, address := range addresses {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(address))
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer conn.Close()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for n := 0; ; n++ {
				packet, err := new(dns.Msg).SetQuestion(fmt.Sprintf("www-%d.example.com.", n), dns.TypeA).Pack()
				if err != nil {
					t.Error(err)
				}
				_, _ = conn.Write(packet) // the server may have stopped
				select {
				case <-tick.C:
				case <-done:
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		close(done)
		group.Wait()
	})
}

// A server with twelve addresses ends as fast as one with a single address while its upstream
// is dead and questions keep arriving. CoreDNS gives one server five seconds.
func TestC5ShutdownWithDeadUpstream(t *testing.T) {
	gate, port := make(chan struct{}), freePort(t)
	defer close(gate)
	var addresses []netip.AddrPort
	bind := "bind"
	for i := range 12 {
		addr := netip.AddrFrom4([4]byte{127, 53, 0, byte(1 + i)}) // that no other test has
		addresses = append(addresses, netip.AddrPortFrom(addr, uint16(port)))
		bind += " " + addr.String()
	}
	text := strings.NewReplacer("bind 127.0.0.1", bind, "UPSTREAM", heldUpstream(t, gate)).Replace(waitingCorefile)
	i := coredns.StartTest(t, fastCorefile(t, text, port))
	besiege(t, addresses)
	waiting := func() bool { return packetsAt(t, "127.53.0.12", port, "handed_over") > 10 }
	await.True(t, time.Minute, "questions wait at the last address", waiting)
	awaitEnd(t, i.Stop) // as at SIGTERM
}

// awaitEnd fails if a function takes as long as kubelet waits for a server to end.
func awaitEnd(t *testing.T, end func()) {
	t.Helper()
	await.End(t, 30*time.Second, "the end of the server, which kubelet kills then", end)
}

// While the plugin health has a server wait that is to end, our sockets answer as before. Then
// the server ends as fast as without.
func TestC5ShutdownAfterLameduck(t *testing.T) {
	gate, port := make(chan struct{}), freePort(t)
	defer close(gate)
	text := strings.NewReplacer(
		"errors", fmt.Sprintf("errors\n health 127.0.0.1:%d {\n lameduck 2s\n }", freePort(t)),
		"UPSTREAM", heldUpstream(t, gate)).Replace(waitingCorefile)
	i := coredns.StartTest(t, fastCorefile(t, text, port)).Instance()
	besiege(t, []netip.AddrPort{fastAddr(port)})
	await.True(t, time.Minute, "questions wait", func() bool { return packets(t, port, "handed_over") > 10 })
	start := time.Now()
	callAll(t, i.OnShutdown)
	before := packets(t, port, "answered")
	exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA)
	if got := packets(t, port, "answered") - before; got != 1 {
		t.Errorf("our sockets have answered %v questions", got)
	}
	awaitEnd(t, func() {
		callAll(t, i.OnFinalShutdown)
		_ = i.Stop()
	})
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("the end took %v, and health alone takes 2s", took)
	}
}

func callAll(t *testing.T, callbacks []func() error) {
	t.Helper()
	for _, callback := range callbacks {
		if err := callback(); err != nil {
			t.Error(err)
		}
	}
}

// CoreDNS ends the process with its last server: not before every question from our sockets
// is answered.
func TestC5ServersEndAfterTheLastAnswer(t *testing.T) {
	gate, port := make(chan struct{}), freePort(t)
	text := strings.Replace(waitingCorefile, "UPSTREAM", heldUpstream(t, gate), 1)
	i := coredns.StartTest(t, fastCorefile(t, text, port))
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	open := sync.OnceFunc(func() { close(gate) })
	defer open()
	packet, err := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	await.True(t, time.Minute, "packets come to our sockets", func() bool {
		exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA)
		return packets(t, port, "answered") > 0
	})
	// CoreDNS's own socket may receive a packet while the route to ours is being found.
	await.True(t, time.Minute, "the question is handed over", func() bool {
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		return packets(t, port, "handed_over") > 0
	})
	before := packets(t, port, "missed")
	instance, ended := i.Instance(), make(chan struct{})
	go func() {
		instance.Wait()
		close(ended)
	}()
	stopped := make(chan struct{})
	go func() {
		i.Stop()
		close(stopped)
	}()
	await.True(t, time.Minute, "CoreDNS's own socket keeps a packet", func() bool { return packets(t, port, "missed") > before })
	if isClosed(ended) {
		t.Error("CoreDNS ended first")
	}
	open()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Read(make([]byte, 512)); err != nil {
		t.Errorf("the question was not answered: %v", err)
	}
	<-stopped
	<-ended
}

// CoreDNS takes the end of its last server for the end of the process, and panics if it
// sees that before it stops the server itself.
func TestC5LastServerIsLeftToCoreDNS(t *testing.T) {
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, strings.Replace(waitingCorefile, "UPSTREAM", "127.0.0.1:1", 1), port))
	i.Instance().ShutdownCallbacks()
	conn, err := net.Dial("tcp", fastAddr(port).String())
	if err != nil {
		t.Fatalf("the last server has ended: %v", err)
	}
	_ = conn.Close()
	if err := i.Instance().Stop(); err != nil {
		t.Error(err)
	}
}
