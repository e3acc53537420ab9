package fastpath

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
)

// ending keeps CoreDNS from ending the process, which it does with its last server, while
// questions that came to our sockets are not answered yet.
type ending struct {
	until atomic.Pointer[chan struct{}] // closed when all is answered; nil while CoreDNS goes on
	held  chan struct{}                 // has room for one
}

// hold keeps one packet that came to CoreDNS's own socket: its server does not end before it.
func (e *ending) hold() {
	until := e.until.Load()
	if until == nil {
		return
	}
	select {
	case e.held <- struct{}{}:
		<-*until
	default:
	}
}

// finish ends CoreDNS's own servers while what came to our sockets is answered. CoreDNS would
// end one server after the other, and wait for each.
func (f *Instance) finish() error {
	f.mu.Lock()
	servers := f.servers
	f.mu.Unlock()
	answered := make(chan struct{})
	go func() {
		listeners.Wait()
		close(answered)
	}()
	f.ending.until.Store(&answered)
	f.awaitHeld(servers, answered)
	var stopping sync.WaitGroup
	for _, s := range servers {
		stopping.Go(func() { _ = s.Stop() }) // CoreDNS logs the error when it stops the server itself
	}
	stopping.Wait()
	<-answered
	return nil
}

// awaitHeld returns when a packet is held, or when none needs to be.
func (f *Instance) awaitHeld(servers []*dnsserver.Server, answered <-chan struct{}) {
	for {
		select {
		case <-answered:
			return
		case <-time.After(time.Millisecond):
		}
		if len(f.ending.held) > 0 {
			return
		}
		for _, s := range servers {
			sendIgnored(listenAddress(s.Addr))
		}
	}
}

// sendIgnored sends a packet that CoreDNS reads and does not answer: a reply.
func sendIgnored(address string) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	packet := [12]byte{2: 1 << 7}
	_, _ = conn.Write(packet[:]) // the next may arrive
}
