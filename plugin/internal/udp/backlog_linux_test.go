package udp

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
)

// gate holds each question until another one is being answered, or was, at the same time.
type gate struct {
	asked, in atomic.Int32
	first     chan struct{} // holds the first
	met       atomic.Bool
	deadline  time.Time
}

func (g *gate) pass(*answer.Question, netip.Addr) bool {
	g.in.Add(1)
	defer g.in.Add(-1)
	switch n := g.asked.Add(1); {
	case n == 1:
		<-g.first
	case n > backlog*batchSize:
		g.meet()
	}
	return false
}

// meet waits until two questions are answered at the same time, or have been.
func (g *gate) meet() {
	for !g.met.Load() && time.Now().Before(g.deadline) {
		if g.in.Load() > 1 {
			g.met.Store(true)
		}
		runtime.Gosched()
	}
}

// A second goroutine helps when questions arrive faster than one reader answers them, and ends
// when all are answered.
func TestBacklogIsShared(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	conn := reuse(t, "udp", ":0", func() {})
	port := conn.LocalAddr().(*net.UDPAddr).Port
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	g := &gate{first: make(chan struct{}), deadline: time.Now().Add(10 * time.Second)}
	s.Zones[0].Block.Claimed = g.pass
	l, err := r.Serve(netip.MustParseAddrPort(fmt.Sprintf("[::]:%d", port)), s)
	if err != nil {
		t.Fatal(err)
	}
	const questions = 3 * backlog * batchSize
	ask(t, port, 1)
	eventually(t, "the reader has a question", func() bool { return g.asked.Load() == 1 })
	ask(t, port, questions-1)
	close(g.first)
	eventually(t, "all are answered", func() bool { return meter.answered.Load() == questions })
	if !g.met.Load() {
		t.Error("one reader answered all")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, socket := range l.sockets {
		eventually(t, "only one reader waits", func() bool { return socket.helpers.Load() == 0 })
	}
}

// ask sends a question n times, and waits for no answer.
func ask(t *testing.T, port, n int) {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range n {
		if _, err := client.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
}

// Packets that the kernel drops because the socket's buffer is full are counted, each once.
func TestC8LostPacketsAreCounted(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	g := &gate{first: make(chan struct{})}
	s.Zones[0].Block.Claimed = g.pass
	l, err := r.Serve(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.sockets[0].conn.SetReadBuffer(1); err != nil { // the kernel takes its least
		t.Fatal(err)
	}
	ask(t, int(at.Port()), 1)
	eventually(t, "the reader has a question", func() bool { return g.asked.Load() == 1 })
	const questions = 1000
	ask(t, int(at.Port()), questions)
	close(g.first)
	r.Stop(t)
	r.Wait()
	answered, lost := meter.answered.Load(), meter.lost.Load()
	if answered+lost != questions+1 || lost < questions/2 {
		t.Errorf("%d questions: %d answered, %d lost", questions+1, answered, lost)
	}
}
