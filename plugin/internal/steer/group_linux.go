package steer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Group is a group of sockets, one of which is ours. Only one goroutine at a time may call its
// methods, except Seen.
type Group struct {
	address netip.AddrPort
	ours    syscall.RawConn
	done    <-chan struct{} // closed when nobody needs the group any more
	index   uint32          // our socket's place in the group, or noIndex
	probes  probes
}

// New returns the group of our socket, which is bound to the address. Nothing is steered yet. The
// caller closes done to end a search for the index.
func New(address netip.AddrPort, ours syscall.RawConn, done <-chan struct{}) *Group {
	g := &Group{address: address, ours: ours, done: done, index: noIndex}
	g.probes.init()
	return g
}

const (
	// maxSize is the size of the largest group in which our socket is searched for.
	maxSize = 128
	// checks is how many probes must arrive while packets are steered.
	checks = 2
	// proofs is how many probes must arrive to prove an index: where no socket has it, the kernel
	// chooses a socket by the client's address, and some probes arrive all the same.
	proofs = 4
)

// timeouts are the times that probes may take in successive searches for the index. Sockets may
// come and go during a search, and a busy socket reads a probe late.
var timeouts = []time.Duration{3 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// patience bounds all searches of one call: nobody reads CoreDNS's own socket before the first ends.
const patience = time.Second

// ErrNotSteered says that probes do not arrive. The next call may succeed, since the machine may be
// busy.
var ErrNotSteered = errors.New("the kernel does not send packets to our socket")

// Steer makes the kernel send all packets to our socket, and reports whether it did not do so
// before. It takes about a second at most.
func (g *Group) Steer() (changed bool, err error) {
	if g.arrive(checks, timeouts[0]) {
		return false, nil
	}
	deadline := time.Now().Add(patience)
	for _, timeout := range timeouts {
		index, err := g.find(timeout, deadline)
		if err != nil {
			return true, err
		}
		if index == noIndex {
			continue
		}
		if err := g.attach(sendTo(index)); err != nil {
			return true, err
		}
		g.index = index
		if g.arrive(proofs, timeout) {
			return true, nil
		}
		// The index may be that of a socket that we have stopped, where questions wait for their
		// answers: the kernel gives a connected socket the packets that a program chooses it for.
		g.index = noIndex
	}
	g.Release()
	return true, ErrNotSteered
}

// Release leaves the choice of the socket to the kernel again. It must be called before our socket
// closes: another gets its index.
func (g *Group) Release() {
	g.index = noIndex
	_ = g.set("SO_DETACH_REUSEPORT_BPF", func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
	})
}

// arrive reports whether the kernel sends so many probes to our socket.
func (g *Group) arrive(count int, timeout time.Duration) bool {
	for range count {
		if g.index == noIndex || !g.probe(timeout) {
			return false
		}
	}
	return true
}

// find returns the index of our socket, or noIndex. Packets of others go where they went before.
func (g *Group) find(timeout time.Duration, deadline time.Time) (uint32, error) {
	for i := uint32(0); i < maxSize && !g.isDone() && time.Now().Before(deadline); i++ {
		if err := g.attach(g.try(i)); err != nil {
			return noIndex, err
		}
		if g.probe(timeout) {
			return i, nil
		}
	}
	return noIndex, nil
}

func (g *Group) isDone() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// noIndex is the index of no socket. The kernel then chooses one by the client's address.
const noIndex = 1<<32 - 1

// sendTo returns a program that sends all packets to the socket with an index.
func sendTo(index uint32) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: index}}
}

// try returns a program that sends our probes to the socket with an index. It recognizes them by
// the octets after the message header, where every question has others.
func (g *Group) try(index uint32) []unix.SockFilter {
	return append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: headerSize},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: binary.BigEndian.Uint32(g.probes.packet[headerSize:])},
		{Code: unix.BPF_RET | unix.BPF_K, K: index},
	}, sendTo(g.index)...)
}

// attach replaces the program of the group.
func (g *Group) attach(program []unix.SockFilter) error {
	return g.set("SO_ATTACH_REUSEPORT_CBPF", func(fd int) error {
		filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &filter)
	})
}

// set sets an option of the group.
func (g *Group) set(name string, option func(fd int) error) error {
	var err error
	if closed := g.ours.Control(func(fd uintptr) { err = option(int(fd)) }); closed != nil {
		return closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
