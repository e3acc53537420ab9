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
	fresh  bool      // a reply that the cache did not have is wanted too
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

// Want makes the slot take the reply to a question that came at a time, if the plugin cache has it or, for
// its TTL, in any case. It must be called before CoreDNS is asked.
func (s *Slot) Want(at time.Time, fresh bool) { s.wanted, s.at, s.fresh = true, at, fresh }

// Offer offers a message and its wire form, which it copies.
func (s *Slot) Offer(m *dns.Msg, wire []byte) {
	missed := s.missed.Load()
	if !s.wanted || missed && !s.fresh {
		return
	}
	if r, ok := of(m, wire); ok {
		r.fresh = missed
		s.reply.Store(r)
	}
}

// Take returns the reply, or nil if there is none to be kept, and the time of the question.
func (s *Slot) Take() (*Reply, time.Time) { return s.reply.Swap(nil), s.at }
