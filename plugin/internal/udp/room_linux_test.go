package udp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
)

// roll notes the names that are asked for, in order. It holds the first.
type roll struct {
	mu    sync.Mutex
	names []string
	first chan struct{}
}

func (c *roll) call(q *answer.Question, _ netip.Addr) bool {
	c.mu.Lock()
	c.names = append(c.names, string(q.Wire()))
	n := len(c.names)
	c.mu.Unlock()
	if n == 1 {
		<-c.first
	}
	return false
}

func (c *roll) snapshot() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.names)
}

// askFrom sends a question n times from an address.
func askFrom(t *testing.T, from string, to netip.AddrPort, n int, name string) {
	t.Helper()
	client, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	for i := range n {
		send(t, client, i, name)
	}
}

// Where a flood is ahead in the socket's buffer, another client does not wait for its end; and
// all that waits is answered before the socket closes.
func TestB7CrowdHasTurns(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", conn.LocalAddr().(*net.UDPAddr).Port))
	r, _ := testRegistry(t)
	s, meter := testBackend(t)
	c := &roll{first: make(chan struct{})}
	s.Zones[0].Block.Claimed = c.call
	if _, err := r.Serve(at, s); err != nil {
		t.Fatal(err)
	}
	// The least buffer that Linux gives by default holds all of them.
	const flood, questions = 450, 20
	const politeName, politeWire = "no.a.svc.cluster.local.", "\x02no\x01a\x03svc\x07cluster\x05local\x00"
	askFrom(t, "127.0.0.1", at, 1, ourName)
	eventually(t, "the reader is held", func() bool { return len(c.snapshot()) == 1 })
	askFrom(t, "127.0.0.5", at, flood, ourName)
	askFrom(t, "127.0.0.6", at, questions, politeName)
	close(c.first)
	r.Stop(t)
	r.Wait()
	names := c.snapshot()
	if n := meter.answered.Load(); n != 1+flood+questions || len(names) != 1+flood+questions {
		t.Fatalf("%d questions were answered, %d lost", n, meter.lost.Load())
	}
	slices.Reverse(names)
	if last := len(names) - slices.Index(names, politeWire); last > flood/3 {
		t.Errorf("the last question of the polite client was the %d. of %d", last, len(names))
	}
}

// Packets that do not fit into the room are dropped and counted, and they are the flood's.
func TestB7FullRoomDropsTheFlood(t *testing.T) {
	m, b, meter := new(room), newBatch(), new(tally)
	m.enter()
	put := func(client [4]byte, n int) {
		for range n {
			b.setClient(0, client)
			if !m.put(b, 0) {
				meter.Dropped(1)
			}
		}
	}
	put([4]byte{10, 0, 0, 1}, roomSize)
	put([4]byte{10, 0, 0, 2}, 10)
	put([4]byte{10, 0, 0, 1}, 100)
	if n := meter.dropped.Load(); n != 110 {
		t.Errorf("%d packets were dropped, want 110", n)
	}
	served := map[netip.Addr]int{}
	for {
		client, ok := m.take(b, 0)
		if !ok {
			break
		}
		served[b.addr(0)]++
		m.charge(client, dns.MinMsgSize)
	}
	if n := served[netip.MustParseAddr("10.0.0.2")]; n != 10 {
		t.Errorf("served %v", served)
	}
}

// setClient makes an IPv4 address the sender of the i-th packet.
func (b *batch) setClient(i int, addr [4]byte) {
	c := (*unix.RawSockaddrInet4)(unsafe.Pointer(&b.clients[i]))
	c.Family, c.Addr = unix.AF_INET, addr
}

// Waiting packets take no new memory once the room has been full.
func TestB7RoomAllocatesNothing(t *testing.T) {
	m, b := new(room), newBatch()
	m.enter()
	n := byte(0)
	turn := func() {
		for range 2 * roomSize {
			n++
			b.setClient(0, [4]byte{10, 0, 0, n})
			m.put(b, 0)
		}
		for range roomSize / 2 {
			client, _ := m.take(b, 0)
			m.charge(client, dns.MinMsgSize)
		}
	}
	for range 10 {
		turn()
	}
	if n := testing.AllocsPerRun(20, turn); n > 0 {
		t.Errorf("%.1f allocations", n)
	}
}

// A reader that saw the room open, and then waits for another that closes it, puts packets into a
// closed room. They must be answered at once, not at the next flood.
func TestB7ClosedRoomOpensAgain(t *testing.T) {
	conn := reuse(t, "udp4", "127.0.0.1:0", func() {})
	at := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", conn.LocalAddr().(*net.UDPAddr).Port))
	registry, _ := testRegistry(t)
	s, meter := testBackend(t)
	c := &roll{first: make(chan struct{})}
	s.Zones[0].Block.Claimed = c.call
	l, err := registry.Serve(at, s)
	if err != nil {
		t.Fatal(err)
	}
	askFrom(t, "127.0.0.1", at, 1, ourName)
	eventually(t, "the reader is held", func() bool { return len(c.snapshot()) == 1 })
	const questions = 3 * batchSize
	socket, late := l.sockets[0], newBatch()
	socket.room.enter()
	_ = socket.raw.Control(func(fd uintptr) {
		helper := &reader{socket: socket, helps: true}
		if err := helper.answerCrowd(late, fd); err != unix.EAGAIN {
			t.Errorf("an empty room: %v", err)
		}
		askFrom(t, "127.0.0.5", at, questions, ourName)
		if err := helper.answerCrowd(late, fd); err != 0 {
			t.Errorf("a room with packets: %v", err)
		}
	})
	close(c.first)
	eventually(t, "all are answered", func() bool { return meter.answered.Load() == 1+questions })
	registry.Stop(t)
	registry.Wait()
}
