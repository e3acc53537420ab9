package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// maxGroup is how many sockets of one address are looked through for ours.
const maxGroup = 128

var errNotSteered = errors.New("the kernel does not send packets to our socket")

// steered says whether all packets come to our socket, as far as those show it that
// come in time. Where the index is nobody's, some may come by chance.
func (l *Listener) steered(timeout time.Duration) bool {
	return l.probes.index != noIndex && l.probe(timeout) && l.probe(timeout)
}

// steer has the kernel send all packets to our socket. A socket's index in its group
// cannot be read, and it changes when another of the group closes, so it is found by
// trying one after the other with packets of our own.
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

// probeTimeouts are how long packets to ourselves may take, from one search for the
// index to the next: sockets may come and go meanwhile, and where very many packets
// are, one more takes its time.
var probeTimeouts = []time.Duration{3 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// find is the index of our socket in its group. The packets of others take the way
// that they took before.
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

// isStopping reports whether nobody needs the answer to a probe any more.
func (l *Listener) isStopping() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// noIndex is that of no socket: the kernel then chooses by the client's address.
const noIndex = 1<<32 - 1

// sendTo is a program that returns an index.
func sendTo(index uint32) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: index}}
}

// try is a program that returns an index for our own packets. It looks at the first
// octets behind the header of a message, which every question has.
func (p *probes) try(index uint32) []unix.SockFilter {
	return append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: headerSize},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: binary.BigEndian.Uint32(p.packet[headerSize:])},
		{Code: unix.BPF_RET | unix.BPF_K, K: index},
	}, sendTo(p.index)...)
}

// attach gives the group a program in the place of the one it has.
func (l *Listener) attach(program []unix.SockFilter) error {
	return l.sockopt("SO_ATTACH_REUSEPORT_CBPF", func(fd int) error {
		filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &filter)
	})
}

// unsteer takes the program away. An index in it would be another socket's once
// ours is closed.
func (l *Listener) unsteer() {
	l.probes.index = noIndex
	_ = l.sockopt("SO_DETACH_REUSEPORT_BPF", func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
	})
}

// sockopt sets what the group has in common, by way of any socket that is open.
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
