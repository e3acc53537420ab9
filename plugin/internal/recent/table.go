package recent

import (
	"container/list"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lifetime is how long a reply is kept.
	lifetime = time.Second
	// earliest and latest bound the age from which on one question goes to CoreDNS, so that the next reply
	// is at hand when this one ends. Others are answered with this one meanwhile. Each reply has an age of
	// its own: names that were asked for together would else go to CoreDNS together for ever after, and
	// whatever comes then waits for all of them.
	earliest, latest = 3 * lifetime / 4, 19 * lifetime / 20
	// forgotten is the age from which on nothing of a reply is remembered.
	forgotten = 2 * lifetime

	// maxSize bounds the octets of a table.
	maxSize = 4 << 20
	// overhead is no less than what an entry takes beside its key and its message.
	overhead = 384

	buckets = 1 << 12
)

// Table keeps replies. Look-ups take no lock.
type Table struct {
	seed    maphash.Seed
	buckets [buckets]atomic.Pointer[entry]

	mu    sync.Mutex // for changes
	order list.List  // entries, the oldest first
	size  int
}

// entry is a reply in the table. Only what is atomic changes.
type entry struct {
	key     string
	bucket  *atomic.Pointer[entry]
	reply   *Reply
	kept    time.Time
	refresh time.Duration // the age from which on one question goes to CoreDNS
	hits    int           // of CoreDNS's cache since the records were new there
	top     uint32        // the TTL that the records had when they were new, 0 if it is not known
	ready   bool          // the reply may be given
	claimed atomic.Bool   // a question for the next reply is under way
	next    atomic.Pointer[entry]
	place   *list.Element
}

// NewTable returns an empty table.
func NewTable() *Table { return &Table{seed: maphash.MakeSeed()} }

func (t *Table) bucket(key []byte) *atomic.Pointer[entry] {
	return &t.buckets[maphash.Bytes(t.seed, key)%buckets]
}

func find(bucket *atomic.Pointer[entry], key []byte) *entry {
	e := bucket.Load()
	for e != nil && e.key != string(key) {
		e = e.next.Load()
	}
	return e
}

// Find returns the reply to a question, whose key is all that a reply depends on. It returns nil
// if CoreDNS has to be asked.
func (t *Table) Find(key, packet []byte, now time.Time) *Reply {
	e := find(t.bucket(key), key)
	if e == nil || !e.ready || !e.reply.suits(packet) {
		return nil
	}
	switch age := now.Sub(e.kept); {
	case age >= lifetime:
		return nil
	case age >= e.refresh && e.claimed.CompareAndSwap(false, true):
		return nil
	}
	return e.reply
}

// Keep keeps a reply that CoreDNS's cache gave at a time. It is given if the plugin's property prefetch
// lets it.
func (t *Table) Keep(key []byte, r *Reply, at time.Time, p Prefetch) {
	e := &entry{key: string(key), bucket: t.bucket(key), reply: r, kept: at, refresh: earliest + rand.N(latest-earliest), hits: 1}
	if r.fresh {
		e.hits, e.top = 0, r.ttl
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := find(e.bucket, key); old != nil {
		if old.kept.After(at) {
			return // a question that came later was answered sooner
		}
		e.follow(old)
		t.remove(old)
	}
	e.ready = !r.fresh && p.lets(e)
	t.add(e)
	t.shrink(at)
}

// follow takes over what is known of the records, or records that they are new.
func (e *entry) follow(old *entry) {
	if e.reply.ttl > old.reply.ttl {
		e.top = e.reply.ttl
		return
	}
	e.hits, e.top = e.hits+old.hits, old.top
}

// Prefetch is the property prefetch of the plugin cache. The zero value stands for a cache without.
type Prefetch struct {
	Hits    int // since the records were new
	Percent int // of the records' TTL: with less left, the next question makes the cache ask again
}

// lets reports whether an entry may be given: the cache has had the hits that it counts, and will not wait
// for a question while the entry is given.
func (p Prefetch) lets(e *entry) bool {
	if p.Hits <= 0 {
		return true
	}
	threshold := math.Ceil(float64(p.Percent) / 100 * float64(e.top)) // as the cache rounds it
	return e.hits >= p.Hits && e.top > 0 && float64(e.reply.ttl) > threshold+lifetime.Seconds()
}

func (e *entry) size() int { return overhead + len(e.key) + len(e.reply.wire) + 2*e.reply.shuffled() }

// shuffled returns the number of offsets in the runs.
func (r *Reply) shuffled() (n int) {
	for _, run := range r.runs {
		n += cap(run)
	}
	return n
}

func (t *Table) add(e *entry) {
	e.next.Store(e.bucket.Load())
	e.bucket.Store(e)
	e.place = t.order.PushBack(e)
	t.size += e.size()
}

// remove takes an entry out. Whoever stands at it meanwhile goes on to the next one.
func (t *Table) remove(e *entry) {
	at := e.bucket
	for at.Load() != e {
		at = &at.Load().next
	}
	at.Store(e.next.Load())
	t.order.Remove(e.place)
	t.size -= e.size()
}

// shrink removes what is too old, and the oldest while there is too much.
func (t *Table) shrink(now time.Time) {
	const room = maxSize - buckets*8
	for front := t.order.Front(); front != nil; front = t.order.Front() {
		e := front.Value.(*entry) //nolint:forcetypeassert // nothing else is put in
		if t.size <= room && now.Sub(e.kept) < forgotten {
			return
		}
		t.remove(e)
	}
}
