package udp

import (
	"context"
	"sync/atomic"
)

// turn is a question that the goroutine which reads asks CoreDNS. It is the context of the
// question, so that whoever is about to wait can have another goroutine read on.
type turn struct {
	context.Context
	over   atomic.Bool
	reader interface{ handOn(rest []*task) }
	rest   []*task // questions behind this one
}

type turnKey struct{}

// Value implements context.Context.
func (t *turn) Value(key any) any {
	if key == (turnKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// end says whether the goroutine is still to read.
func (t *turn) end() bool { return t.over.CompareAndSwap(false, true) }

// Release lets a question's handler wait: if the goroutine that reads a socket is at work on
// it, another reads on. It does nothing for other questions, from the second time on, or
// when the question is done with, whose context a plugin may still have.
func Release(ctx context.Context) {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok && t.end() {
		t.reader.handOn(t.rest)
	}
}
