package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize is what a socket may hold while its reader is busy, if the system lets
// it (net.core.rmem_max).
const bufferSize = 4 << 20

// socket is one of our own, bound to one address.
type socket struct {
	listener *Listener
	conn     *net.UDPConn
	raw      syscall.RawConn
	local    netip.AddrPort
	closing  atomic.Bool
	// handedOver is the number of questions that CoreDNS still works on.
	handedOver atomic.Int64
	// helpers is the number of goroutines that read beside run.
	helpers atomic.Int32
	done    chan struct{}
}

// open opens a socket beside others on the address.
func (l *Listener) open(address netip.AddrPort) (*socket, error) {
	network := "udp6"
	if address.Addr().Is4() {
		network = "udp4"
	}
	config := net.ListenConfig{Control: control}
	pc, err := config.ListenPacket(context.Background(), network, address.String())
	if err != nil {
		return nil, err
	}
	s := &socket{listener: l, conn: pc.(*net.UDPConn), local: address, done: make(chan struct{})}
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		_ = s.conn.Close()
		return nil, err
	}
	go s.run()
	return s, nil
}

func control(_, _ string, raw syscall.RawConn) error {
	var err error
	controlled := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		// Less will do as well.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize)
	})
	if controlled != nil {
		return controlled
	}
	return err
}

// nobodyPort is that of a sender that there cannot be (RFC 6335 6, tcpmux).
const nobodyPort = 1

// retire has no more packets come to the socket, and returns when those that came
// are answered, by CoreDNS too. A connected socket takes what one sender sends alone.
func (s *socket) retire() {
	nobody := unix.Sockaddr(&unix.SockaddrInet6{Port: nobodyPort, Addr: s.local.Addr().As16()})
	if s.local.Addr().Is4() {
		nobody = &unix.SockaddrInet4{Port: nobodyPort, Addr: s.local.Addr().As4()}
	}
	_ = s.raw.Control(func(fd uintptr) { _ = unix.Connect(int(fd), nobody) })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(retireTimeout)
	for s.busy() {
		select {
		case <-tick.C:
		case <-late:
			return
		}
	}
}

// retireTimeout is how long what came to a socket may take. CoreDNS gives its own
// sockets as much.
const retireTimeout = 5 * time.Second

// busy says whether anything that came to the socket was not answered yet.
func (s *socket) busy() bool {
	waiting := 0
	_ = s.raw.Control(func(fd uintptr) { waiting, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return waiting > 0 || s.handedOver.Load() > 0
}

// close returns when the reader has ended.
func (s *socket) close() {
	s.closing.Store(true)
	_ = s.conn.Close()
	<-s.done
}

// run answers until the socket is closed.
func (s *socket) run() {
	defer close(s.done)
	if err := s.raw.Read(s.drain); err != nil && !s.closing.Load() {
		go s.listener.giveUp(err) // which waits for this to end
	}
}

// drain answers what is there. It returns false to be called again when there is
// more.
func (s *socket) drain(fd uintptr) bool {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	full := 0 // batches in a row
	for !s.closing.Load() {
		n, err := b.receive(fd)
		switch err {
		case 0:
			if full++; n < batchSize {
				full = 0
			}
			if full == backlog {
				s.assist()
			}
			s.answer(b, fd, n)
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			go s.listener.giveUp(err) // which waits for this to end
			return true
		}
	}
	return true
}

// backlog is how many full batches in a row tell that one reader is not enough.
const backlog = 4

// assist has one more goroutine answer what is there, if there is a processor for it.
// The socket is not closed before it has ended.
func (s *socket) assist() {
	if int(s.helpers.Add(1)) >= min(maxReaders, runtime.GOMAXPROCS(0)) {
		s.helpers.Add(-1)
		return
	}
	go func() {
		defer s.helpers.Add(-1)
		_ = s.raw.Control(func(fd uintptr) { s.drain(fd) })
	}()
}

// answer answers n packets.
func (s *socket) answer(b *batch, fd uintptr, n int) {
	service := s.listener.service.Load()
	start := time.Now()
	var ignored, handedOver int
	for i := range n {
		if cap(b.arena)-len(b.arena) < maxSize {
			s.flush(b, fd, service, start)
		}
		switch s.answerOne(b, i, service) {
		case Ignore:
			ignored++
		case HandOver:
			handedOver++
		}
	}
	s.flush(b, fd, service, start)
	if ignored > 0 {
		service.Meter.Ignored(ignored)
	}
	if handedOver > 0 {
		service.Meter.HandedOver(handedOver)
		runtime.Gosched() // who takes them may need the only processor there is
	}
}

// answerOne queues the answer to a packet, or hands it over.
func (s *socket) answerOne(b *batch, i int, service *Service) Verdict {
	packet := b.packets[i][:b.in[i].size]
	if b.port(i) == 0 {
		return Ignore
	}
	before := len(b.arena)
	arena, v := s.respond(b, service, b.addr(i), packet)
	switch v {
	case Answer:
		b.arena = arena
		b.answered.IPv6 = b.isIPv6(i)
		b.queue(i, arena[before:])
	case HandOver:
		t := tasks.Get().(*task)
		t.service, t.writer, t.open = service, &writer{conn: s.conn, client: b.client(i)}, &s.handedOver
		t.size = copy(t.buf[:], packet)
		s.listener.workers.submit(t)
	case Ignore:
		s.listener.probes.seen(packet)
	}
	return v
}

// respond hands over what an answer fails for.
func (s *socket) respond(b *batch, service *Service, client netip.Addr, packet []byte) (arena []byte, v Verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			s.listener.trouble(fmt.Errorf("panic: %v", cause))
			v = HandOver
		}
	}()
	return b.Respond(service, client, packet, b.arena)
}

// flush sends the answers that are ready, and counts them.
func (s *socket) flush(b *batch, fd uintptr, service *Service, start time.Time) {
	if b.count == 0 {
		return
	}
	b.send(fd)
	took := time.Since(start)
	for i := range b.count {
		c := &b.counted[i]
		if c.meter != nil {
			c.answered.Took = took
			c.meter.Answered(&c.answered)
		}
	}
	service.Meter.Answered(b.count)
	b.reset()
}
