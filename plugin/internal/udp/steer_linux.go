package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// maxGroup is the largest group of sockets at one address in which ours is searched for.
const maxGroup = 128

var errNotSteered = errors.New("the kernel does not send packets to our socket")

// steered reports whether the kernel sends all packets to our socket. It finds out with two
// probes.
func (l *Listener) steered(timeout time.Duration) bool {
	return l.probes.index != noIndex && l.probe(timeout) && l.probe(timeout)
}

// steer makes the kernel send all packets to our socket. A socket's index in its group
// cannot be read, and it changes when another socket of the group closes. So steer tries
// one index after another, with packets of our own.
func (l *Listener) steer() error {
	for _, timeout := range probeTimeouts {
		index, err := l.find(timeout)
		if err != nil {
			return err
		}
		if index == noIndex {
			continue
		}
		if err := l.attach(sendTo(index)); err != nil {
			return err
		}
		l.probes.index = index
		if l.steered(timeout) {
			return nil
		}
	}
	l.unsteer()
	return errNotSteered
}

// probeTimeouts are the times that probes may take in successive searches for the index.
// Sockets may come and go during a search, and a busy socket reads a probe late.
var probeTimeouts = []time.Duration{3 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// find returns the index of our socket in its group, or noIndex. Packets of others go where
// they went before.
func (l *Listener) find(timeout time.Duration) (uint32, error) {
	for i := uint32(0); i < maxGroup && !l.isStopping(); i++ {
		if err := l.attach(l.probes.try(i)); err != nil {
			return noIndex, err
		}
		if l.probe(timeout) {
			return i, nil
		}
	}
	return noIndex, nil
}

// isStopping reports whether the listener is about to end.
func (l *Listener) isStopping() bool {
	select {
	case <-l.done:
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

// try returns a program that sends our probes to the socket with an index. It recognizes
// them by the octets after the message header, where every question has others.
func (p *probes) try(index uint32) []unix.SockFilter {
	return append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: reply.HeaderSize},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: binary.BigEndian.Uint32(p.packet[reply.HeaderSize:])},
		{Code: unix.BPF_RET | unix.BPF_K, K: index},
	}, sendTo(p.index)...)
}

// attach replaces the program of the group.
func (l *Listener) attach(program []unix.SockFilter) error {
	return l.sockopt("SO_ATTACH_REUSEPORT_CBPF", func(fd int) error {
		filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &filter)
	})
}

// unsteer removes the program, whose index would mean another socket once ours is closed.
func (l *Listener) unsteer() {
	l.probes.index = noIndex
	_ = l.sockopt("SO_DETACH_REUSEPORT_BPF", func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
	})
}

// sockopt sets an option of the group through any of our open sockets.
func (l *Listener) sockopt(name string, set func(fd int) error) error {
	err := net.ErrClosed
	for _, s := range l.sockets {
		if s.raw.Control(func(fd uintptr) { err = set(int(fd)) }) == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
