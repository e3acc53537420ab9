package steer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// bind binds a socket to an address, beside others.
func bind(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	}}
	conn, err := config.ListenPacket(context.Background(), "udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.UDPConn)
}

// testGroup returns the group of a second socket at an address, and that socket.
func testGroup(t *testing.T) (g *Group, first, ours *net.UDPConn) {
	t.Helper()
	first = bind(t, "127.0.0.1:0")
	at := first.LocalAddr().String()
	ours = bind(t, at)
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return New(netip.MustParseAddrPort(at), raw, t.Context().Done()), first, ours
}

// read passes the packets of a socket to Seen.
func read(g *Group, conn *net.UDPConn) {
	buf := make([]byte, 512)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		g.Seen(buf[:n])
	}
}

func (g *Group) mustAttach(t *testing.T, index uint32) {
	t.Helper()
	if err := g.attach(sendTo(index)); err != nil {
		t.Fatal(err)
	}
	g.index = index
}

const question = "a question, which is longer than the header of a message"

// ask sends a question from a port of its own.
func ask(t *testing.T, at net.Addr) {
	client, err := net.Dial("udp4", at.String())
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	if _, err := client.Write([]byte(question)); err != nil {
		t.Error(err)
	}
}

// questions returns how many questions wait at a socket, and takes all packets from there.
func questions(t *testing.T, conn *net.UDPConn) (n int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 512)
	_ = raw.Control(func(fd uintptr) {
		for size := 0; err == nil; {
			if size, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT); err == nil && string(buf[:size]) == question {
				n++
			}
		}
	})
	return n
}

// All packets come to our socket, whether others join or leave. After Release, some do not.
func TestSteer(t *testing.T) {
	g, first, ours := testGroup(t)
	go read(g, ours)
	for range 3 {
		if _, err := g.Steer(); err != nil {
			t.Fatal(err)
		}
		if changed, err := g.Steer(); err != nil || changed {
			t.Fatalf("once more: changed: %v, %v", changed, err)
		}
		for range 100 {
			ask(t, first.LocalAddr())
		}
		if n := questions(t, first); n > 0 {
			t.Fatalf("%d of 100 questions came to the other socket", n)
		}
		next := bind(t, first.LocalAddr().String())
		first.Close() // the last socket of the group takes its place
		first = next
	}
	g.Release()
	await.True(t, time.Minute, "a packet comes to the other socket", func() bool {
		ask(t, first.LocalAddr())
		return questions(t, first) > 0
	})
}

// A busy socket reads a probe when others have been sent. That says nothing about the others.
func TestLateProbe(t *testing.T) {
	g, _, ours := testGroup(t)
	g.mustAttach(t, 1)
	if g.probe(0) {
		t.Fatal("a probe arrives although nobody reads it")
	}
	g.mustAttach(t, 0)
	go read(g, ours)
	if g.probe(200 * time.Millisecond) {
		t.Error("the first probe was taken for the second")
	}
	g.mustAttach(t, 1)
	if !g.probe(time.Minute) {
		t.Error("a probe did not arrive")
	}
}

// Where no socket has an index, some probes arrive all the same.
func TestIndexOfNoSocket(t *testing.T) {
	g, _, ours := testGroup(t)
	go read(g, ours)
	for range 30 {
		bind(t, ours.LocalAddr().String())
	}
	g.mustAttach(t, 100)
	await.True(t, time.Minute, "a probe arrives", func() bool { return g.probe(10 * time.Millisecond) })
	if g.arrive(proofs, 10*time.Millisecond) {
		t.Error("it was taken for the index of our socket")
	}
}

// A socket that is connected, because its listener has stopped, keeps an index. While a busy socket
// beside it is searched for, no question comes there.
func TestStoppedSocket(t *testing.T) {
	for range 5 {
		_, _, stopped := testGroup(t)
		at := stopped.LocalAddr()
		raw, err := stopped.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			err = unix.Connect(int(fd), &unix.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}})
		})
		if err != nil {
			t.Fatal(err)
		}
		ours := bind(t, at.String())
		if raw, err = ours.SyscallConn(); err != nil {
			t.Fatal(err)
		}
		g := New(netip.MustParseAddrPort(at.String()), raw, t.Context().Done())
		go readSlowly(g, ours)
		stop := askOn(t, at)
		if _, err := g.Steer(); err != nil && !errors.Is(err, ErrNotSteered) { // on a busy machine
			t.Fatal(err)
		}
		stop()
		if n := questions(t, stopped); n > 0 {
			t.Fatalf("%d questions came to the socket that was stopped", n)
		}
	}
}

// readSlowly reads as a busy goroutine does, so that probes arrive after their time.
func readSlowly(g *Group, conn *net.UDPConn) {
	buf := make([]byte, 512)
	for range time.Tick(2 * timeouts[0]) {
		for {
			_ = conn.SetReadDeadline(time.Now().Add(time.Microsecond))
			n, err := conn.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				break
			}
			g.Seen(buf[:n])
		}
	}
}

// askOn asks at a rate that a slow reader bears, until stop is called.
func askOn(t *testing.T, at net.Addr) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Microsecond):
				ask(t, at)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
