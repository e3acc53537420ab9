package listwatch

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// Limits bound how long we wait for an API server that has accepted a request.
// The connection may live on: a proxy or a load balancer can answer for it.
type Limits struct {
	// Silence is how long nothing may come: no answer to a request, nothing more
	// of a list, no event and no bookmark of a watch. The API server answers a
	// request within a minute (its --request-timeout), and sends a bookmark each
	// minute, up to three seconds late; this is half as long again.
	Silence time.Duration
	// List is how long a request for a list, or for a page of one, may take.
	List time.Duration
	// Grace is how long a watch may go on after the end that it was asked for.
	Grace time.Duration
	// Stall is how long a list that is streamed may stand still, and Stream how
	// long it may take. The bookmark at its end comes with the last object.
	Stall, Stream time.Duration
	// Redials is the shortest time between two times that all connections are
	// given up. The watches of all kinds fall silent at once.
	Redials time.Duration
}

// DefaultLimits suit every API server that is known to us.
var DefaultLimits = Limits{
	Silence: 90 * time.Second,
	List:    10 * time.Minute,
	Grace:   30 * time.Second,
	Stall:   15 * time.Second,
	Stream:  3 * time.Minute,
	Redials: 10 * time.Second,
}

// bookmarks is what is known of the bookmarks of one kind.
//
// An API server sends one each minute, if its version is newer than the one that the
// watch began with. Where nothing happens to the objects of a kind, that takes progress
// notifications from etcd, which not every etcd sends, and some servers send no
// bookmarks at all. So silence means trouble only on a watch that bookmarks come on. A
// watch that has brought nothing yet is begun anew: that costs little, and it may be in
// trouble too.
type bookmarks struct {
	mu     sync.Mutex
	seen   bool
	misses int  // watches in a row that brought nothing
	told   bool // the log tells of it
}

// expect notes what a watch has brought, and reports whether bookmarks come on it from
// now on.
func (b *bookmarks) expect(event watch.EventType) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if event == watch.Bookmark {
		b.seen, b.misses = true, 0
	}
	return b.seen && event != watch.Error
}

// limit returns how long a watch may be silent that has brought nothing.
func (b *bookmarks) limit(silence time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.misses > 1 {
		return 2 * silence
	}
	return silence
}

// miss notes that a watch has brought nothing, and reports whether that is worth a
// line. There is no second one: it would come and go for ever.
func (b *bookmarks) miss() (tell bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.misses++
	tell = b.misses > 1 && !b.told
	b.told = b.told || tell
	return tell
}

// silent must be called for a watch that has fallen silent, on which bookmarks came.
// Whatever stands between us and the API server may hold up the connection, so a new
// one is made.
func (l *lister) silent(after time.Duration) {
	l.store.Silent()
	l.outages.Silent(l.kind.Logged, after)
	l.renew()
}

// broughtNothing must be called for a watch that has brought nothing for a while. If
// the connection is to blame, the next request on it has no answer.
func (l *lister) broughtNothing() {
	if l.bookmarks.miss() {
		l.store.Silent()
		l.outages.SendsNothing(l.kind.Logged, l.limits.Silence)
	}
}
