package tcp

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// idle waits until a number of connections are idle.
func (c *Crowd) idle(t *testing.T, want int) {
	t.Helper()
	await.True(t, 20*time.Second, "connections are idle", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		idle := 0
		for _, all := range c.clients {
			for place := all.Front(); place != nil; place = place.Next() {
				if _, is := place.Value.(*connection).idleSince(); is {
					idle++
				}
			}
		}
		return idle == want
	})
}

// dialFrom connects from another address than dial does, and has a question answered.
func (s *started) dialFrom(t *testing.T, address string) *client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := dialer.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn.(*net.TCPConn)}
}

// Where there are more connections than the server bears, each new one ends the one of the client that
// has most which is idle for the longest time. Those that wait for an answer, and those of other clients, go on.
func TestCrowd(t *testing.T) {
	var mu sync.Mutex
	var told []string
	s := start(t, func(s *Server) {
		s.Crowd = newCrowd(5, func(client netip.Addr, has int) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, client.String()+strings.Repeat("+", has))
		})
	})
	waits := s.dial(t)
	waits.ask(1, slow)
	var idle []*client
	for i := range 4 {
		c := s.dial(t)
		c.ask(1, own)
		c.expect(1)
		s.Crowd.idle(t, 1+i)
		idle = append(idle, c)
	}
	idle[0].ask(2, own) // so that it is no longer idle for the longest time
	idle[0].expect(2)
	idle = append(idle[1:], idle[0])
	s.Crowd.idle(t, 4)
	polite := s.dialFrom(t, "127.0.0.2")
	polite.ask(1, own)
	polite.expect(1)
	idle[0].expectEnd()
	s.Crowd.idle(t, 4)
	another := s.dial(t)
	another.ask(1, own)
	another.expect(1)
	idle[1].expectEnd()
	s.upstream.slow <- struct{}{}
	waits.expect(1)
	for _, c := range []*client{waits, idle[2], idle[3], polite, another} {
		c.ask(2, own)
		c.expect(2)
		_ = c.conn.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(told, " "); got != "127.0.0.1+++++ 127.0.0.1+++++" {
		t.Errorf("told of %s", got)
	}
	s.ends(t)
	if c := s.Crowd; c.count != 0 || len(c.clients) != 0 {
		t.Errorf("%d connections of %d clients are left", c.count, len(c.clients))
	}
}

// A client whose connections all wait for answers keeps them.
func TestCrowdOfBusyConnections(t *testing.T) {
	s := start(t, func(s *Server) { s.Crowd = newCrowd(1, func(netip.Addr, int) { t.Error("a connection is closed") }) })
	var all []*client
	for range 3 {
		c := s.dial(t)
		c.ask(1, slow)
		all = append(all, c)
	}
	await.True(t, 20*time.Second, "all wait", func() bool { return s.upstream.asked.Load() == 3 })
	s.release(t)
	for _, c := range all {
		c.expect(1)
	}
}

// The limits of the process bear thousands of connections.
func TestCrowdOfTheProcess(t *testing.T) {
	if bears := NewCrowd(nil).bears; bears < 100 || int64(bears) > openFiles()/filesShare {
		t.Errorf("%d of %d open files", bears, openFiles())
	}
}
