package udp

import (
	"context"
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/recent"
)

// call is one call of CoreDNS's handler. It is the context of the call, so that a handler that
// is about to block can find it.
type call struct {
	context.Context
	workers *workers
	writer  *writer
	client  fair.Client

	// Of a call by the goroutine that reads the socket.
	reader interface{ readElsewhere(rest []*task) }
	rest   []*task // questions that the goroutine would ask next

	mu      sync.Mutex
	ended   bool
	blocked bool // counts as blocked
}

type callKey struct{}

// Value implements context.Context.
func (c *call) Value(key any) any {
	switch key {
	case callKey{}:
		return c
	case recent.SlotKey{}:
		return &c.writer.slot
	}
	return c.Context.Value(key)
}

// WillBlock must be called by a handler before it blocks. It reports whether the handler may: if
// too many questions, of this client above all, are blocked already, the handler must fail with
// SERVFAIL, which is not sent.
// If the goroutine that reads a socket has called the handler, another goroutine goes on
// reading. WillBlock does nothing when the call has ended and a plugin still has its context.
func WillBlock(ctx context.Context) bool {
	c, ok := ctx.Value(callKey{}).(*call)
	return !ok || c.block()
}

// TurnAway must be called by a handler that gives up because the client has too many
// waiting questions. Its failure, SERVFAIL or REFUSED, is then not sent: a client that gets
// a failure gives up at once, and one that gets nothing asks again.
func TurnAway(ctx context.Context) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.writer.turnedAway.Store(true)
	}
}

func (c *call) block() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.blocked {
		return true
	}
	if !c.workers.block(c.client, c.reader == nil) {
		c.writer.turnedAway.Store(true)
		return false
	}
	c.blocked = true
	if c.reader != nil {
		c.reader.readElsewhere(c.rest)
	}
	return true
}

// end ends the call. It reports whether the goroutine has blocked.
func (c *call) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	return c.blocked
}
