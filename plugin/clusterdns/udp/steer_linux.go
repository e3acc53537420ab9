package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// maxGroup is how many sockets of one address are looked through for ours.
const maxGroup = 128

// skfRandom is the place that a program loads a random number from
// (SKF_AD_OFF + SKF_AD_RANDOM of linux/filter.h).
const skfRandom = 0xfffff000 + 56

var errNotSteered = errors.New("the kernel does not send packets to our sockets")

// steered says whether all packets come to our sockets, as far as those show it that
// come in time.
func (l *Listener) steered(timeout time.Duration) bool {
	if len(l.probes.indices) == 0 {
		return false
	}
	for range 2 * len(l.sockets) {
		if l.probe(timeout) == nil {
			return false
		}
	}
	return true
}

// steer has the kernel send all packets to our sockets. A socket's index in its
// group cannot be read, and it changes when another of the group closes, so it is
// found by trying one after the other with packets of our own.
func (l *Listener) steer() error {
	for _, timeout := range probeTimeouts {
		indices, err := l.indices(timeout)
		if err != nil {
			return err
		}
		if len(indices) < len(l.sockets) {
			continue
		}
		if err := l.attach(choose(indices)); err != nil {
			return err
		}
		l.probes.indices = indices
		if l.steered(timeout) {
			return nil
		}
	}
	l.unsteer()
	return errNotSteered
}

// probeTimeouts are how long packets to ourselves may take, from one search for the
// indices to the next: sockets may come and go meanwhile, and where very many packets
// are, one more takes its time.
var probeTimeouts = []time.Duration{3 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// indices are those of our sockets in their group. The packets of others take the way
// that they took before.
func (l *Listener) indices(timeout time.Duration) ([]uint32, error) {
	var found []*socket
	var indices []uint32
	for i := uint32(0); i < maxGroup && len(found) < len(l.sockets); i++ {
		if err := l.attach(l.probes.try(i)); err != nil {
			return nil, err
		}
		if s := l.probe(timeout); s != nil && !slices.Contains(found, s) {
			found, indices = append(found, s), append(indices, i)
		}
	}
	return indices, nil
}

// noIndex is that of no socket: the kernel then chooses by the client's address.
const noIndex = 1<<32 - 1

// choose is a program that returns one of the indices, by chance.
func choose(indices []uint32) []unix.SockFilter {
	if len(indices) == 0 {
		indices = []uint32{noIndex}
	}
	last := len(indices) - 1
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: skfRandom},
		{Code: unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K, K: uint32(len(indices))},
	}
	for i, index := range indices[:last] {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(i)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: index})
	}
	return append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: indices[last]})
}

// try is a program that returns an index for our own packets. It looks at the first
// octets behind the header of a message, which every question has.
func (p *probes) try(index uint32) []unix.SockFilter {
	return append([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: headerSize},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: binary.BigEndian.Uint32(p.packet[headerSize:])},
		{Code: unix.BPF_RET | unix.BPF_K, K: index},
	}, choose(p.indices)...)
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
	l.probes.indices = nil
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
