package tcp

import (
	"bytes"
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// maxAside is the number of questions of one connection that are answered aside. With so many,
// the connection is not read until one of them is answered.
const maxAside = 128

// connection is a connection that was taken over.
type connection struct {
	server *Server
	origin dns.ResponseWriter // CoreDNS's, which knows the addresses
	conn   net.Conn
	client netip.Addr
	input  input
	output output

	mu    sync.Mutex
	left  sync.Cond // a question aside is answered
	aside int
	since time.Time // the client has nothing to wait for since then, and its next question is not there

	timer *time.Timer
	ended bool

	place *list.Element // among the client's connections in the server's crowd, which owns it
}

func newConnection(s *Server, w dns.ResponseWriter, conn net.Conn, client netip.Addr) *connection {
	c := &connection{server: s, origin: w, conn: conn, client: client}
	c.left.L = &c.mu
	c.output.init(conn, s.Write)
	return c
}

// run answers the first question and all that follow, until the client has no more, or the time is
// up, and all questions are answered.
func (c *connection) run(first *dns.Msg) {
	c.begin()
	defer c.end()
	b := newBatch()
	if b.add(c.server, c.client, first) != reply.Answer {
		c.pass(b, first, b.packet)
	}
	for c.write(b) == nil {
		b.free()
		if c.await() != nil {
			return
		}
		b = newBatch()
		if c.answer(b) != nil {
			break
		}
	}
	b.free()
}

// begin starts to look whether the client still asks.
func (c *connection) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(c.server.Idle, c.expire)
}

// end returns when no question is aside.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.aside > 0 {
		c.left.Wait()
	}
	c.ended = true
	c.timer.Stop()
}

// answer answers the questions that are there. It fails if answers cannot be written.
func (c *connection) answer(b *batch) error {
	for packet := c.input.next(); packet != nil; packet = c.input.next() {
		switch b.respond(c.server, c.client, packet) {
		case reply.HandOver, reply.Outside:
			if r := accept(packet, c); r != nil {
				c.pass(b, r, packet)
			}
		case reply.Answer, reply.Ignore:
		}
		if len(b.answers) < fullBatch {
			continue
		}
		if err := c.write(b); err != nil {
			return err
		}
	}
	return nil
}

// write writes the answers of a batch and counts them.
func (c *connection) write(b *batch) error {
	if len(b.answers) == 0 {
		return nil
	}
	err := c.output.send(b.answers)
	b.count()
	b.answers, b.counted = b.answers[:0], b.counted[:0]
	return err
}

// await returns when more octets have arrived. The time for a message does not begin anew with
// each of its octets.
func (c *connection) await() error {
	for waits := false; ; waits = true {
		if size, known := c.input.needs(); known && c.input.write-c.input.read >= size {
			c.setIdle(time.Time{})
			return nil
		}
		if !waits {
			c.setIdle(time.Now())
		}
		if err := c.input.fill(c.conn); err != nil {
			return err
		}
	}
}

func (c *connection) setIdle(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = since
}

// expire ends the connection if the client has sent no question for too long, and otherwise looks
// again later.
func (c *connection) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	rest := c.server.Idle
	if c.aside == 0 && !c.since.IsZero() {
		rest -= time.Since(c.since)
	}
	if rest <= 0 {
		_ = c.conn.SetReadDeadline(past)
		return
	}
	c.timer.Reset(rest)
}

// endIdle ends the connection if its client waits for nothing. It reports whether it has.
func (c *connection) endIdle() bool {
	if _, idle := c.idleSince(); !idle {
		return false
	}
	return c.conn.SetReadDeadline(past) == nil
}

// idleSince returns since when the client waits for nothing. It reports false if it waits.
func (c *connection) idleSince() (since time.Time, idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since, !c.ended && c.aside == 0 && !c.since.IsZero()
}

// pass has CoreDNS answer a question aside, or at once if too much is aside already. The question's
// packet was the last one of the batch.
func (c *connection) pass(b *batch, r *dns.Msg, packet []byte) {
	client := fair.ClientOf(c.client)
	w := &writer{Context: c.server.Context, ResponseWriter: c.origin, to: c, question: r}
	if b.Want(&w.slot) {
		w.packet = bytes.Clone(packet) // its memory is used again
	}
	if !c.server.Aside.Take(client) {
		_ = c.write(b) // what is answered must not wait
		w.ask()
		return
	}
	if c.full() {
		_ = c.write(b)
	}
	c.enter()
	go func() {
		defer c.server.Aside.Leave(client)
		defer c.leave()
		w.ask()
	}()
}

func (c *connection) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.aside >= maxAside
}

// enter waits until the connection may have another question aside.
func (c *connection) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.aside >= maxAside {
		c.left.Wait()
	}
	c.aside++
}

func (c *connection) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aside--
	if !c.since.IsZero() {
		c.since = time.Now()
	}
	c.left.Broadcast()
}
