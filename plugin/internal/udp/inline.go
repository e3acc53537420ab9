package udp

import (
	"context"
	"sync/atomic"
)

// inlineCall is a question that the goroutine which reads asks CoreDNS. It is the context of the
// question, so that whoever is about to wait can have another goroutine read on.
type inlineCall struct {
	context.Context
	over   atomic.Bool
	reader interface{ readElsewhere(rest []*task) }
	rest   []*task // questions behind this one
}

type inlineKey struct{}

// Value implements context.Context.
func (t *inlineCall) Value(key any) any {
	if key == (inlineKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// end says whether the goroutine is still to read.
func (t *inlineCall) end() bool { return t.over.CompareAndSwap(false, true) }

// WillBlock lets a question's handler wait: if the goroutine that reads a socket is at work on
// it, another reads on. It does nothing for other questions, from the second time on, or
// when the question is done with, whose context a plugin may still have.
func WillBlock(ctx context.Context) {
	if t, ok := ctx.Value(inlineKey{}).(*inlineCall); ok && t.end() {
		t.reader.readElsewhere(t.rest)
	}
}
