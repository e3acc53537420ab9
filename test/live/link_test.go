package live

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// link is the network between a server and its API server: a TCP relay on an address of its
// own. Unlike an API server, it can go and return at once.
type link struct {
	addr   string
	target string

	mu       sync.Mutex
	listener net.Listener // nil while the link is cut
	open     map[net.Conn]struct{}
	running  sync.WaitGroup
}

// link makes a relay to the API server that ends with the test.
func (c *cluster) link(t *testing.T) *link {
	t.Helper()
	l := &link{
		addr:   "127.0.0.1:0",
		target: strings.TrimPrefix(c.URL(), "https://"),
		open:   map[net.Conn]struct{}{},
	}
	l.mend(t)
	t.Cleanup(l.cut)
	return l
}

// mend accepts connections, at the same address as before. Another program may have used
// the port for a moment.
func (l *link) mend(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		listener, err := net.Listen("tcp", l.addr)
		if err != nil {
			return err
		}
		l.addr = listener.Addr().String()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.listener = listener
		l.running.Go(func() { l.accept(listener) })
		return nil
	})
}

// refuse refuses new connections and keeps the existing ones.
func (l *link) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != nil {
		l.listener.Close()
		l.listener = nil
	}
}

// cut breaks all connections and refuses new ones.
func (l *link) cut() {
	l.refuse()
	l.mu.Lock()
	for conn := range l.open {
		conn.Close()
	}
	l.mu.Unlock()
	l.running.Wait()
}

// connections returns how many connections the server has open.
func (l *link) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// awaitConnections waits for a number of open connections.
func (l *link) awaitConnections(t *testing.T, want int) {
	t.Helper()
	eventually(t, func() error {
		if n := l.connections(); n != want {
			return fmt.Errorf("%d connections to the API server, want %d", n, want)
		}
		return nil
	})
}

func (l *link) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // cut
		}
		l.relay(listener, conn)
	}
}

func (l *link) relay(listener net.Listener, conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != listener {
		conn.Close() // the link was cut in the meantime
		return
	}
	l.open[conn] = struct{}{}
	l.running.Go(func() {
		defer l.forget(conn)
		pass(conn, l.target)
	})
}

func (l *link) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, conn)
}

// pass connects both ends until one of them is closed.
func pass(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // an error is an end like any other
			near.Close()
			far.Close()
		})
	}
	both.Wait()
}
