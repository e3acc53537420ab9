package recent

import (
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

// Want makes the slot take the reply to a question that came at a time. It must be called before
// CoreDNS is asked.
func (s *Slot) Want(at time.Time) { s.wanted, s.at = true, at }

// Miss says that the cache has passed the question on.
func (s *Slot) Miss() { s.missed.Store(true) }

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
