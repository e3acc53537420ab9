// Package barrier keeps the events of several watches of one kind at the same version while
// a reload moves clients from one watch to another.
package barrier

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Barrier lets the events of a resource through up to a version, or all of them.
type Barrier struct {
	rank uint64 // the order of locking: a caller that locks several barriers locks the lowest rank first

	mu      sync.Mutex
	heard   string        // version of the last event that arrived
	passed  string        // version of the last event that was let through
	sent    string        // version of the last event that the writer has received
	limit   string        // version up to which events pass; empty if all pass
	changed chan struct{} // closed when any of these fields changes
}

var ranks atomic.Uint64

// New returns a barrier that lets all events through.
func New() *Barrier {
	return &Barrier{rank: ranks.Add(1), changed: make(chan struct{})}
}

// lockAll locks each barrier once, in the order of their ranks. Without an order, two
// callers could wait for each other for ever.
func lockAll(barriers ...*Barrier) (unlock func()) {
	ranked := slices.Clone(barriers)
	slices.SortFunc(ranked, func(a, b *Barrier) int { return cmp.Compare(a.rank, b.rank) })
	ranked = slices.Compact(ranked)
	for _, b := range ranked {
		b.mu.Lock()
	}
	return func() {
		for _, b := range ranked {
			b.mu.Unlock()
		}
	}
}

// Close closes the barriers after the newest version that has passed any of them, and
// returns the closed ones. A barrier whose version cannot be compared with the first one's
// stays open.
func Close(first *Barrier, others ...*Barrier) (closed []*Barrier) {
	defer lockAll(append(others, first)...)()
	limit := first.passed
	for _, b := range others {
		order, err := resourceversion.CompareResourceVersion(b.passed, limit)
		if err != nil {
			continue
		}
		if order > 0 {
			limit = b.passed
		}
		closed = append(closed, b)
	}
	if len(closed) == 0 {
		return nil
	}
	closed = append(closed, first)
	for _, b := range closed {
		b.limit = limit
		b.announce()
	}
	return closed
}

// Open lets all events through.
func (b *Barrier) Open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = ""
	b.announce()
}

// Pass waits until the event with a version may be sent on, or until ctx ends.
func (b *Barrier) Pass(ctx context.Context, version string) {
	b.wait(ctx, func() bool {
		if b.heard != version {
			b.heard = version
			b.announce()
		}
		if b.limit != "" && newer(version, b.limit) {
			return false
		}
		b.passed = version
		return true
	})
}

// Done records that everything up to a version has been sent on.
func (b *Barrier) Done(version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard, b.passed, b.sent = version, version, version
	b.announce()
}

// Await waits until everything up to the limit has been sent on, or until ctx ends.
func (b *Barrier) Await(ctx context.Context) {
	b.wait(ctx, func() bool { return b.limit == "" || !newer(b.limit, b.sent) || newer(b.heard, b.limit) })
}

func (b *Barrier) wait(ctx context.Context, until func() bool) {
	for {
		b.mu.Lock()
		ready := until()
		changed := b.changed
		b.mu.Unlock()
		if ready {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (b *Barrier) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// newer reports whether a is newer than b. It reports false if they cannot be compared.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
