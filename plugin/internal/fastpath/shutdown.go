package fastpath

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
)

func (f *Instance) setRestarting(is bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restarting = is
	f.pauseHeads(is)
	return nil
}

// shutDown stops the listeners that the next instance does not serve. At the end of the
// process they go on until finish is called, because the plugin health may delay the end.
func (f *Instance) shutDown() error {
	if f.isRestarting() {
		awaitStart(f.others(), startPatience)
	}
	// CoreDNS must not stop a server that has not started, and servers start while others
	// open their sockets.
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.pauseHeads(true)
	if f.restarting {
		listeners.Stop(f)
	}
	return nil
}

// lastStep is the time that a server has from our hook in it, which is the last that we see of its start,
// to where CoreDNS can stop it.
const lastStep = 10 * time.Millisecond

// startPatience is how long a reload waits for the servers of an instance.
var startPatience = time.Second

// awaitStart returns when instances serve at all of their listeners. CoreDNS starts servers in the
// background. It cannot stop one that has not started, which then serves the old Corefile for good.
// And where it ends the last instance before the servers of the next one have started, our listeners
// would stop and begin anew, and some would show newer data than others.
func awaitStart(instances []*Instance, patience time.Duration) {
	late, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, next := range instances {
		if !next.hasServers() {
			continue
		}
		select {
		case <-next.started:
		case <-late.Done():
		}
	}
}

// others returns the other instances of the process, as there are at the end of a reload.
func (f *Instance) others() (all []*Instance) {
	for _, i := range caddy.Instances() {
		if other := of(i); other != nil && other != f {
			all = append(all, other)
		}
	}
	return all
}

func (f *Instance) isRestarting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.restarting
}

// finish ends the fast path at the end of the process. CoreDNS stops one server after
// another, and gives each of them five seconds for its questions. So finish stops all of
// them at the same time, and meanwhile the questions from our sockets are answered.
//
// CoreDNS's main function returns with the last server, and panics if that has ended before
// CoreDNS begins to stop the servers. So the first server is left to CoreDNS, which stops
// it at once, and a packet is held in a server as long as our sockets have questions.
func (f *Instance) finish() error {
	f.mu.Lock()
	servers, held := f.servers, f.joined
	f.mu.Unlock()
	listeners.Stop(f)
	answered := make(chan struct{})
	go func() {
		listeners.Wait()
		close(answered)
	}()
	if held != nil {
		f.hold.keep(held, answered)
	}
	first := f.firstToStop(servers)
	for i, s := range servers {
		if i != first {
			go func() { _ = s.Stop() }() // CoreDNS waits for it, and logs the error, when it stops the server itself
		}
	}
	return nil
}

// firstToStop returns the index of the server that CoreDNS stops first.
func (f *Instance) firstToStop(servers []*dnsserver.Server) int {
	for _, l := range f.inOrder() {
		own, _ := l.LocalAddr().(*net.UDPAddr)
		for i, s := range servers {
			at, err := netip.ParseAddrPort(listenAddress(s.Addr))
			if err == nil && own != nil && sameAddress(own.AddrPort(), at) {
				return i
			}
		}
	}
	return 0
}

// inOrder returns CoreDNS's listeners in the order in which CoreDNS stops them.
func (f *Instance) inOrder() []caddy.ServerListener {
	for _, i := range caddy.Instances() {
		if of(i) == f {
			return i.Servers()
		}
	}
	return nil
}

// sameAddress reports whether two addresses are the same. A socket on all addresses may
// report that in either family.
func sameAddress(a, b netip.AddrPort) bool {
	x, y := a.Addr().Unmap(), b.Addr().Unmap()
	return a.Port() == b.Port() && (x == y || x.IsUnspecified() && y.IsUnspecified())
}

// hold keeps a packet of ours in one of CoreDNS's own servers, which does not end before
// the packet is released.
type hold struct {
	packet atomic.Pointer[heldPacket] // nil while CoreDNS may go on
}

type heldPacket struct {
	port int // port that the packet is sent from
	kept atomic.Bool
	done <-chan struct{} // closed when the packet is released
}

// arrived must be called for each packet on CoreDNS's own sockets.
func (h *hold) arrived(w dns.Writer) {
	p := h.packet.Load()
	if p == nil {
		return
	}
	if r, ok := w.(dns.ResponseWriter); ok && portOf(r.RemoteAddr()) == p.port {
		p.kept.Store(true)
		<-p.done
	}
}

// keep returns when a server has the packet, or when it is no longer needed. CoreDNS may
// have no room for the first packets that are sent.
func (h *hold) keep(s *dnsserver.Server, done <-chan struct{}) {
	conn, err := net.Dial("udp", listenAddress(s.Addr))
	if err != nil {
		<-done
		return
	}
	defer conn.Close()
	p := &heldPacket{port: portOf(conn.LocalAddr()), done: done}
	h.packet.Store(p)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !p.kept.Load() {
		reply := [12]byte{2: 1 << 7} // a reply, which gets no answer
		_, _ = conn.Write(reply[:])  // the next may arrive
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

func portOf(a net.Addr) int {
	if u, ok := a.(*net.UDPAddr); ok {
		return u.Port
	}
	return 0
}
