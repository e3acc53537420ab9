package udp

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

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
	inode    uint64
	lost     atomic.Uint32 // packets that were counted as lost
	closing  atomic.Bool
	// handedOver is the number of questions that CoreDNS still works on.
	handedOver atomic.Int64
	// helpers is the number of goroutines that read beside the one that waits.
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
	_ = s.raw.Control(func(fd uintptr) {
		var stat unix.Stat_t
		if unix.Fstat(int(fd), &stat) == nil {
			s.inode = stat.Ino
		}
	})
	l.workers.start(&reader{socket: s})
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

// stopTaking has no more packets come to the socket. A connected socket takes what one
// sender sends alone.
func (s *socket) stopTaking() {
	nobody := unix.Sockaddr(&unix.SockaddrInet6{Port: nobodyPort, Addr: s.local.Addr().As16()})
	if s.local.Addr().Is4() {
		nobody = &unix.SockaddrInet4{Port: nobodyPort, Addr: s.local.Addr().As4()}
	}
	_ = s.raw.Control(func(fd uintptr) { _ = unix.Connect(int(fd), nobody) })
}

// drain waits until what came to the sockets is answered, by CoreDNS too, but no longer
// than the timeout, and closes them. There is one wait for all of them.
func drain(sockets []*socket, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	awaitIdle(ctx, sockets)
	for _, s := range sockets {
		s.countLost()
		s.close()
	}
	for _, s := range sockets {
		s.awaitReader(ctx)
	}
}

// awaitIdle returns when no socket is busy, or when the context ends.
func awaitIdle(ctx context.Context, sockets []*socket) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(sockets, (*socket).busy) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// busy reports whether anything that came to the socket was not answered yet.
func (s *socket) busy() bool {
	waiting := 0
	_ = s.raw.Control(func(fd uintptr) { waiting, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return waiting > 0 || s.handedOver.Load() > 0
}

// countLost counts the packets that the kernel has dropped since it was last called,
// because the socket's buffer was full.
func (s *socket) countLost() {
	_ = s.raw.Control(func(fd uintptr) {
		now, err := drops(fd)
		for err == nil {
			before := s.lost.Load()
			n := int32(now - before)
			if n <= 0 {
				return // another goroutine has counted them
			}
			if s.lost.CompareAndSwap(before, now) {
				s.listener.backend.Load().Meter.Lost(int(n))
				return
			}
		}
	})
}

// drops is the number of packets that the kernel has dropped at a socket.
func drops(fd uintptr) (uint32, error) {
	const dropsIndex = 8 // SK_MEMINFO_DROPS
	var info [dropsIndex + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return info[dropsIndex], nil
}

// close closes the socket. Its reader ends soon afterwards.
func (s *socket) close() {
	s.closing.Store(true)
	_ = s.conn.Close()
}

// awaitReader returns when the reader of a closed socket has ended, which a question may
// keep from it, or when the context ends.
func (s *socket) awaitReader(ctx context.Context) {
	select {
	case <-s.done:
	case <-ctx.Done():
	}
}
