package kube

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// limits bound how long we wait for an API server that has accepted a request.
// The connection may live on: a proxy or a load balancer can answer for it.
type limits struct {
	// silence is how long nothing may come: no answer to a request, nothing more
	// of a list, no event and no bookmark of a watch. The API server answers a
	// request within a minute (its --request-timeout), and sends a bookmark each
	// minute; this is half as long again.
	silence time.Duration
	// list is how long a request for a list, or for a page of one, may take.
	list time.Duration
	// grace is how long a watch may go on after the end that it was asked for.
	grace time.Duration
	// stall is how long a list that is streamed may stand still, and stream how
	// long it may take. The bookmark at its end comes with the last object.
	stall, stream time.Duration
	// redials is the shortest time between two times that all connections are
	// given up. The watches of all kinds fall silent at once.
	redials time.Duration
}

var defaultLimits = limits{
	silence: 90 * time.Second,
	list:    10 * time.Minute,
	grace:   30 * time.Second,
	stall:   15 * time.Second,
	stream:  3 * time.Minute,
	redials: 10 * time.Second,
}

// bookmarks is what is known of the bookmarks of one kind.
type bookmarks struct {
	mu     sync.Mutex
	seen   bool
	missed int // watches given up since the last bookmark
}

// limit returns how long a watch may be silent, or 0 if the server seems to send
// no bookmarks: then silence means nothing.
func (b *bookmarks) limit(silence time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen && b.missed > 1 {
		return 0
	}
	return silence
}

func (b *bookmarks) see() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen, b.missed = true, 0
}

// miss reports whether bookmarks can be expected.
func (b *bookmarks) miss() (expected bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed++
	return b.seen || b.missed < 2
}

// heard is told of every event of a watch.
func (l *lister) heard(event watch.Event) {
	if event.Type == watch.Bookmark && !endsList(event) {
		l.bookmarks.see()
	}
	if event.Type != watch.Error {
		l.outages.Heard(l.feed.about())
	}
}

// silent is told of a watch that nothing has come of. Whatever stands between us
// and the API server may hold up the connection, so a new one is made.
func (l *lister) silent(after time.Duration) {
	l.sink.observer.Silent(l.feed.name)
	if l.bookmarks.miss() {
		l.outages.Silent(l.feed.about(), after)
	} else {
		l.outages.SendsNoBookmarks(l.feed.about(), longestWatch)
	}
	l.renew()
}
