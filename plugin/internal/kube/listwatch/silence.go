package listwatch

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// Limits bound how long we wait for an API server that has accepted a request. An open
// connection proves nothing, because a proxy or a load balancer may keep it open.
type Limits struct {
	// Silence is how long nothing may arrive: no answer to a request, no more of a list, no
	// event and no bookmark on a watch. The API server answers a request within a minute
	// (its --request-timeout) and sends a bookmark every minute, up to three seconds late;
	// this is half as long again.
	Silence time.Duration
	// List is how long a request for a list, or for a page of one, may take.
	List time.Duration
	// Grace is how much longer a watch may last than the server was asked to keep it.
	Grace time.Duration
	// Stall is how long a streaming list may pause, and Stream how long it may take. The
	// bookmark at its end comes right after the last object.
	Stall, Stream time.Duration
	// Redials is the shortest time between two times that all connections are closed. The
	// watches of all kinds fall silent at once.
	Redials time.Duration
}

// DefaultLimits suit every API server that we know.
var DefaultLimits = Limits{
	Silence: 90 * time.Second,
	List:    10 * time.Minute,
	Grace:   30 * time.Second,
	Stall:   15 * time.Second,
	Stream:  3 * time.Minute,
	Redials: 10 * time.Second,
}

// bookmarks records what is known about the bookmarks of one kind.
//
// An API server sends a bookmark every minute if its version is newer than the one that the
// watch began with. If the objects of a kind do not change, that takes progress
// notifications from etcd, which not every etcd sends, and some servers send no bookmarks
// at all. So silence means trouble only on a watch that has brought bookmarks. A watch that
// has brought nothing yet is restarted: that costs little, and it may be in trouble too.
type bookmarks struct {
	mu     sync.Mutex
	seen   bool // a bookmark has arrived
	misses int  // how many watches in a row brought nothing
	told   bool // the log mentions it
}

// expect records an event of a watch, and reports whether bookmarks can be expected on the
// watch from now on.
func (b *bookmarks) expect(event watch.EventType) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if event == watch.Bookmark {
		b.seen, b.misses = true, 0
	}
	return b.seen && event != watch.Error
}

// limit returns how long a watch that has brought nothing may be silent.
func (b *bookmarks) limit(silence time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.misses > 1 {
		return 2 * silence
	}
	return silence
}

// miss records that a watch has brought nothing, and reports whether to log it. It reports
// true only once, because there would be a line for ever otherwise.
func (b *bookmarks) miss() (tell bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.misses++
	tell = b.misses > 1 && !b.told
	b.told = b.told || tell
	return tell
}

// silent must be called for a watch that has fallen silent after bookmarks. It closes all
// connections, because something between us and the API server may block them.
func (l *lister) silent(after time.Duration) {
	l.store.Silent()
	l.outages.Silent(l.kind.Logged, after)
	l.renew()
}

// broughtNothing must be called for a watch that has brought nothing for a while. It keeps
// the connections: if they are blocked, the next request gets no answer.
func (l *lister) broughtNothing() {
	if l.bookmarks.miss() {
		l.store.Silent()
		l.outages.SendsNothing(l.kind.Logged, l.limits.Silence)
	}
}
