package top

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// span is the length of a window.
	span = 10 * time.Second
	// exact is the number of questions in a second up to which each is counted.
	exact = 1000
	// sampled is how many questions one stands for when there are more. It is a power of two.
	sampled = 16
)

// Tally counts the questions of a process. It is safe for concurrent use.
type Tally struct {
	oneIn atomic.Uint32 // of so many questions, one is counted
	now   func() time.Time

	mu     sync.Mutex
	recent window
	before window    // what was asked in the span before
	second time.Time // beginning of a second
	asked  uint64    // questions since then
}

// window has what was asked in a span.
type window struct {
	since   time.Time
	asked   uint64 // questions that were counted, or stand for such
	counted uint64
	oneIn   uint32 // the most that a question stood for
	pods    bool   // Namespaces of clients are known

	namespaces sketch[string]
	clients    sketch[client]
	names      sketch[string] // in wire form
	rcodes     sketch[int]
}

// client is who asks.
type client struct {
	addr      netip.Addr
	namespace string // empty if unknown
}

// question is a question that is counted.
type question struct {
	client client
	name   string // in wire form, in memory that may be used again
	rcode  int
	pods   bool // the Namespaces of Pods are known
}

// New returns a tally that asks a clock for the time.
func New(now func() time.Time) *Tally {
	t := &Tally{now: now}
	t.oneIn.Store(1)
	return t
}

// sample returns for how many questions the next one counts, or 0 if it does not.
func (t *Tally) sample() uint32 {
	n := t.oneIn.Load()
	if n > 1 && rand.Uint32()%n != 0 {
		return 0
	}
	return n
}

// add counts a question for as many as sample has said.
func (t *Tally) add(q *question, weight uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.turn(now)
	t.adapt(now, weight)
	w, n := &t.recent, uint64(weight)
	w.asked += n
	w.counted++
	w.oneIn, w.pods = max(w.oneIn, weight), w.pods || q.pods
	w.namespaces.add(q.client.namespace, n, strings.Clone)
	w.clients.add(q.client, n, client.clone)
	w.names.add(q.name, n, strings.Clone)
	w.rcodes.add(q.rcode, n, func(rcode int) int { return rcode })
}

func (c client) clone() client { return client{c.addr, strings.Clone(c.namespace)} }

// turn makes the recent window the one before when it is full.
func (t *Tally) turn(now time.Time) {
	age := now.Sub(t.recent.since)
	if age < span {
		return
	}
	t.recent, t.before = t.before, t.recent
	t.recent.clear(now)
	if age >= 2*span {
		t.before.clear(now.Add(-span))
	}
}

// clear forgets what was asked.
func (w *window) clear(since time.Time) {
	w.since, w.asked, w.counted, w.oneIn, w.pods = since, 0, 0, 0, false
	w.namespaces.clear()
	w.clients.clear()
	w.names.clear()
	w.rcodes.clear()
}

// adapt decides how many of the next questions are counted.
func (t *Tally) adapt(now time.Time, weight uint32) {
	if now.Sub(t.second) >= time.Second {
		if t.asked < exact {
			t.oneIn.Store(1)
		}
		t.second, t.asked = now, 0
	}
	if t.asked += uint64(weight); t.asked >= exact {
		t.oneIn.Store(sampled)
	}
}
