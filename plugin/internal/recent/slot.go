package recent

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// Slot takes CoreDNS's reply to one question. Its zero value takes none. Handlers of CoreDNS may
// use it from several goroutines, and after the question is answered.
type Slot struct {
	wanted bool
	at     time.Time // of the question
	missed atomic.Bool
	reply  atomic.Pointer[Reply]
}

// SlotKey is the key of the slot of a question, a *Slot, in the context of the call to CoreDNS.
type SlotKey struct{}

// Missed must be called by a handler behind the plugin cache: the reply does not come from there.
func Missed(ctx context.Context) {
	if s, ok := ctx.Value(SlotKey{}).(*Slot); ok {
		s.missed.Store(true)
	}
}

// Want makes the slot take the reply to a question that came at a time. It must be called before
// CoreDNS is asked.
func (s *Slot) Want(at time.Time) { s.wanted, s.at = true, at }

// Offer offers a message and its wire form, which it copies.
func (s *Slot) Offer(m *dns.Msg, wire []byte) {
	if !s.wanted || s.missed.Load() {
		return
	}
	if r, ok := of(m, wire); ok {
		s.reply.Store(r)
	}
}

// Take returns the reply, or nil if there is none to be kept, and the time of the question.
func (s *Slot) Take() (*Reply, time.Time) { return s.reply.Swap(nil), s.at }
