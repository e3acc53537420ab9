package udp

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

const (
	// batchSize is the number of packets that one system call reads.
	batchSize = 32
	// arenaSize is the size of the buffer for answers. They are sent when the rest of it
	// is too small for the longest answer.
	arenaSize = 2 * reply.MaxSize
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	size   uint32
}

// batch is the memory with which a goroutine reads and answers packets. A goroutine takes one
// when packets arrive and gives it back when it waits.
type batch struct {
	*reply.Responder
	in      [batchSize]mmsghdr
	out     [batchSize]mmsghdr
	inVec   [batchSize]unix.Iovec
	outVec  [batchSize]unix.Iovec
	clients [batchSize]unix.RawSockaddrInet6
	packets [batchSize][reply.PacketSize]byte
	counted [batchSize]reply.Counted
	arena   []byte
	count   int // number of answers that are not sent yet
}

var batches = sync.Pool{New: func() any { return newBatch() }}

func newBatch() *batch {
	b := &batch{Responder: reply.NewResponder(), arena: make([]byte, 0, arenaSize)}
	for i := range batchSize {
		b.inVec[i].Base = &b.packets[i][0]
		b.inVec[i].SetLen(reply.PacketSize)
		b.in[i].header.Iov, b.out[i].header.Iov = &b.inVec[i], &b.outVec[i]
		b.in[i].header.SetIovlen(1)
		b.out[i].header.SetIovlen(1)
		b.in[i].header.Name = (*byte)(unsafe.Pointer(&b.clients[i]))
	}
	return b
}

// receive reads the packets that have arrived, and does not wait.
func (b *batch) receive(fd uintptr) (int, unix.Errno) {
	for i := range b.in {
		b.in[i].header.Namelen = unix.SizeofSockaddrInet6
	}
	// The call never blocks, so Go's scheduler need not be told of it.
	n, _, err := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.in[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	return int(n), err
}

// queue queues an answer, which is in the arena, for the sender of the i-th packet.
func (b *batch) queue(i int, answer []byte) {
	out := &b.out[b.count]
	b.outVec[b.count].Base = &answer[0]
	b.outVec[b.count].SetLen(len(answer))
	out.header.Name, out.header.Namelen = b.in[i].header.Name, b.in[i].header.Namelen
	b.counted[b.count] = *b.Last()
	b.count++
}

// send sends the queued answers. Answers that the socket does not take are lost, as packets
// are on a busy network.
func (b *batch) send(fd uintptr) {
	for sent := 0; sent < b.count; {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.out[sent])), uintptr(b.count-sent), unix.MSG_DONTWAIT, 0, 0)
		switch err {
		case 0:
			sent += int(n)
		case unix.EINTR:
		default:
			sent++ // skips this one only: there may be no route to a client
		}
	}
}

// reset empties the arena.
func (b *batch) reset() {
	b.arena, b.count = b.arena[:0], 0
}

// port returns the port of the sender of the i-th packet.
func (b *batch) port(i int) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&b.clients[i].Port))[:])
}

// addr returns the address of the sender of the i-th packet as Kubernetes writes it: an
// IPv4-mapped address is an IPv4 address, and there is no zone.
func (b *batch) addr(i int) netip.Addr {
	c := &b.clients[i]
	if c.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(c)).Addr)
	}
	return netip.AddrFrom16(c.Addr).Unmap()
}

// client returns address and port of the sender of the i-th packet.
func (b *batch) client(i int) netip.AddrPort {
	c := &b.clients[i]
	if c.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(c))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), b.port(i))
	}
	a := netip.AddrFrom16(c.Addr)
	if scope := b.scope(i); scope != 0 {
		// Its number stays the same if somebody renames the interface.
		a = a.WithZone(strconv.FormatUint(uint64(scope), 10))
	}
	return netip.AddrPortFrom(a, b.port(i))
}

// scope returns the index of the interface to which a link-local sender of the i-th packet is
// attached, and 0 for other senders.
func (b *batch) scope(i int) uint32 {
	if b.clients[i].Family == unix.AF_INET {
		return 0
	}
	return b.clients[i].Scope_id
}
