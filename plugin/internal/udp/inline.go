package udp

import (
	"context"
	"sync/atomic"
)

// inlineCall is a call of CoreDNS's handler by the goroutine that reads the socket. It is the
// context of the call, so that a handler that is about to block can find it.
type inlineCall struct {
	context.Context
	ended  atomic.Bool
	reader interface{ readElsewhere(rest []*task) }
	rest   []*task // questions that the goroutine would ask next
}

type inlineKey struct{}

// Value implements context.Context.
func (c *inlineCall) Value(key any) any {
	if key == (inlineKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// end ends the call. It reports whether the goroutine still has to read the socket.
func (c *inlineCall) end() bool { return c.ended.CompareAndSwap(false, true) }

// WillBlock must be called by a handler before it blocks. If the goroutine that reads a socket
// has called the handler, another goroutine goes on reading. WillBlock does nothing in other
// calls, when it is called again, or when the call has ended and a plugin still has its context.
func WillBlock(ctx context.Context) {
	if c, ok := ctx.Value(inlineKey{}).(*inlineCall); ok && c.end() {
		c.reader.readElsewhere(c.rest)
	}
}
