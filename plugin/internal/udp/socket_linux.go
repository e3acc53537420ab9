package udp

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bufferSize is the size of a socket's receive buffer, unless net.core.rmem_max is less.
const bufferSize = 4 << 20

// socket is one of our own sockets. It is bound to one address.
type socket struct {
	listener *Listener
	conn     *net.UDPConn
	raw      syscall.RawConn
	local    netip.AddrPort
	inode    uint64
	lost     atomic.Uint32 // lost packets that are counted already
	closing  atomic.Bool
	// handedOver is the number of questions that CoreDNS has not answered yet.
	handedOver atomic.Int64
	// helpers is the number of goroutines that help the one that waits for packets.
	helpers atomic.Int32
	room    room
	done    chan struct{}
}

// open opens a socket at an address, beside others that are bound to it.
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
		// A smaller buffer is no reason to fail.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize)
	})
	if controlled != nil {
		return controlled
	}
	return err
}

// nobodyPort is a port that no client uses (tcpmux, RFC 1078).
const nobodyPort = 1

// stopTaking ends the arrival of packets: a connected socket takes packets of its peer alone,
// and there is no such peer.
func (s *socket) stopTaking() {
	nobody := unix.Sockaddr(&unix.SockaddrInet6{Port: nobodyPort, Addr: s.local.Addr().As16()})
	if s.local.Addr().Is4() {
		nobody = &unix.SockaddrInet4{Port: nobodyPort, Addr: s.local.Addr().As4()}
	}
	_ = s.raw.Control(func(fd uintptr) { _ = unix.Connect(int(fd), nobody) })
}

// drain waits, once for all sockets, until their questions are answered, by CoreDNS too, but no
// longer than the timeout. Then it closes them.
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

// busy reports whether a packet that came to the socket is not answered yet.
func (s *socket) busy() bool {
	waiting := 0
	_ = s.raw.Control(func(fd uintptr) { waiting, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return waiting > 0 || s.handedOver.Load() > 0
}

// countLost counts the packets that the kernel has dropped since the last call, because the
// socket's buffer was full. It reports whether the buffer fills.
func (s *socket) countLost() (fills bool) {
	_ = s.raw.Control(func(fd uintptr) {
		m, err := memoryOf(fd)
		fills = m.held > min(crowd, m.size/8)
		now := m.drops
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
	return fills
}

// memory is the state of a socket's buffer in the kernel: octets in use, octets of room,
// and packets that the kernel has dropped so far.
type memory struct{ held, size, drops uint32 }

func memoryOf(fd uintptr) (memory, error) {
	const heldIndex, sizeIndex, dropsIndex = 0, 1, 8 // SK_MEMINFO_RMEM_ALLOC, _RCVBUF, _DROPS
	var info [dropsIndex + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return memory{}, errno
	}
	return memory{info[heldIndex], info[sizeIndex], info[dropsIndex]}, nil
}

// WriteToUDPAddrPort implements packetWriter. It does not tell Go's scheduler of the system call, which
// rarely waits: each time, that would wake the scheduler's watchdog thread, which then runs every 20 µs.
func (s *socket) WriteToUDPAddrPort(data []byte, to netip.AddrPort) (int, error) {
	errno := unix.EAGAIN
	if len(data) > 0 && to.Addr().Zone() == "" {
		_ = s.raw.Control(func(fd uintptr) { errno = sendTo(fd, data, to, s.local.Addr().Is4()) })
	}
	if errno == 0 {
		return len(data), nil
	}
	return s.conn.WriteToUDPAddrPort(data, to) // waits for room in the buffer, and knows what errors mean
}

// sendTo sends a packet through an IPv4 or an IPv6 socket, and does not wait.
func sendTo(fd uintptr, data []byte, to netip.AddrPort, ipv4 bool) unix.Errno {
	var address [unix.SizeofSockaddrInet6]byte
	family, size := uint16(unix.AF_INET6), uintptr(unix.SizeofSockaddrInet6)
	if ipv4 {
		family, size = unix.AF_INET, unix.SizeofSockaddrInet4
		*(*[4]byte)(address[4:]) = to.Addr().As4()
	} else {
		*(*[16]byte)(address[8:]) = to.Addr().As16()
	}
	binary.NativeEndian.PutUint16(address[:], family)
	binary.BigEndian.PutUint16(address[2:], to.Port())
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)), unix.MSG_DONTWAIT,
		uintptr(unsafe.Pointer(&address[0])), size)
	return errno
}

// close closes the socket. Its reader ends soon afterwards.
func (s *socket) close() {
	s.closing.Store(true)
	_ = s.conn.Close()
}

// awaitReader returns when the reader of a closed socket has ended, or when the context ends: a
// question may keep the reader.
func (s *socket) awaitReader(ctx context.Context) {
	select {
	case <-s.done:
	case <-ctx.Done():
	}
}
