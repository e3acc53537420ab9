package tcp

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// Server is what a server of CoreDNS answers over connections. It must not be copied.
type Server struct {
	Zones   reply.Zones
	Handler Handler         // answers the questions that we do not
	Context context.Context // passed to Handler

	// Takes reports whether connections may be taken over. The fields below are for these.
	Takes bool
	Idle  time.Duration // after which a connection without questions is closed
	Write time.Duration // in which a client must read what is written at once
	Crowd *Crowd        // the connections of all servers
	Aside *fair.Places  // for questions that are answered aside; a question without a place holds up those behind it

	Panicked func(cause any) // counts and logs a panic of our code; CoreDNS gets the question

	paused atomic.Bool
}

// Handler is CoreDNS.
type Handler interface {
	ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg)
}

// Pause makes the server take no more connections, or take them again. It must be called before
// CoreDNS ends its connections.
func (s *Server) Pause(is bool) { s.paused.Store(is) }

// Answer answers a client's question, which came alone, with one call of send. It reports whether it
// has: otherwise CoreDNS must answer.
func (s *Server) Answer(client netip.Addr, r *dns.Msg, send func(wire []byte) error) (bool, error) {
	b := newBatch()
	defer b.free()
	if b.add(s, client, r) != reply.Answer {
		return false, nil
	}
	err := send(b.answers[prefix:])
	b.count()
	return true, err
}

// prefix is the size of the length that precedes a message (RFC 1035 4.2.2).
const prefix = 2

// batch has the answers that are written at once.
type batch struct {
	*reply.Responder
	question [dns.MinMsgSize]byte // memory for a packed question
	packet   []byte               // the question that was packed last
	answers  []byte               // each with its length ahead
	counted  []reply.Counted
	start    time.Time
}

const (
	usualAnswers = 4 << 10
	// fullBatch is the size from which on a batch is written before the next question is answered.
	fullBatch = 16 << 10
	// mostKept is the size of the largest memory for answers that is used again.
	mostKept = 128 << 10
)

var batches = sync.Pool{New: func() any {
	return &batch{Responder: reply.NewResponder(), answers: make([]byte, 0, usualAnswers)}
}}

func newBatch() *batch {
	b := batches.Get().(*batch)
	b.start = time.Now()
	b.At(b.start)
	return b
}

func (b *batch) free() {
	b.answers, b.counted = b.answers[:0], b.counted[:0]
	if cap(b.answers) <= mostKept {
		batches.Put(b)
	}
}

// add adds the answer to a question.
func (b *batch) add(s *Server, client netip.Addr, r *dns.Msg) reply.Verdict {
	var err error
	if b.packet, err = r.PackBuffer(b.question[:]); err != nil {
		return reply.HandOver
	}
	return b.respond(s, client, b.packet)
}

// respond adds the answer to a packet. If the Responder panics, CoreDNS gets the question.
func (b *batch) respond(s *Server, client netip.Addr, packet []byte) (v reply.Verdict) {
	before := b.answers
	defer func() {
		if cause := recover(); cause != nil {
			s.Panicked(cause)
			b.answers, v = before, reply.HandOver
		}
	}()
	at := len(before)
	out, v := b.RespondStream(s.Zones, client, packet, append(before, 0, 0))
	if v != reply.Answer {
		b.answers = out[:at]
		return v
	}
	size := len(out) - at - prefix
	out[at], out[at+1] = byte(size>>8), byte(size)
	b.answers = out
	b.counted = append(b.counted, *b.Last())
	return v
}

// count counts the answers once they are written.
func (b *batch) count() {
	took := time.Since(b.start)
	for i := range b.counted {
		if c := &b.counted[i]; c.Meter != nil {
			c.Answered.Took = took
			c.Meter.Answered(&c.Answered)
		}
	}
}

// clientOf returns the address of a client over TCP.
func clientOf(a net.Addr) (netip.Addr, bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	client := t.AddrPort().Addr().Unmap().WithZone("")
	return client, client.IsValid()
}
