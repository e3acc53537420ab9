package recent

import (
	"container/list"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lifetime is how long a reply is kept.
	lifetime = time.Second
	// refresh is the age from which on one question goes to CoreDNS, so that the next reply is
	// at hand when this one ends. Others are answered with this one meanwhile.
	refresh = 9 * lifetime / 10
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
	hits    int         // of CoreDNS's cache since the records were new there
	ready   bool        // the reply may be given
	claimed atomic.Bool // a question for the next reply is under way
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
	case age >= refresh && e.claimed.CompareAndSwap(false, true):
		return nil
	}
	return e.reply
}

// Keep keeps a reply that CoreDNS's cache gave at a time. It is given once that cache has had
// so many hits since the records were new: the property prefetch counts them.
func (t *Table) Keep(key []byte, r *Reply, at time.Time, hits int) {
	e := &entry{key: string(key), bucket: t.bucket(key), reply: r, kept: at, hits: 1}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := find(e.bucket, key); old != nil {
		if old.kept.After(at) {
			return // a question that came later was answered sooner
		}
		if r.ttl <= old.reply.ttl {
			e.hits += old.hits
		}
		t.remove(old)
	}
	e.ready = e.hits >= hits
	t.add(e)
	t.shrink(at)
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
