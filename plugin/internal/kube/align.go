package kube

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
)

const (
	// catchUp bounds how long Align waits for the new Watcher. The objects that it selects
	// may have no event as new as the events that the old one has seen.
	catchUp = time.Second
	// followUp bounds how long Align waits for the old Watchers. A kind that does not
	// change has no event to report the version of a list.
	followUp = 250 * time.Millisecond
)

// Align pauses Watchers of one API server at the same version of every kind that the new
// one watches. Two watches never keep the same pace, so while some answers come from one
// Watcher and some from the other, clients would see data go back in time.
//
// Align takes at most catchUp and followUp together. resume lets all Watchers go on. The
// caller must call it soon, because the paused data gets old.
func Align(ctx context.Context, to *Watcher, from ...*Watcher) (resume func()) {
	var paused []*barrier
	for _, r := range to.writer.resources {
		about := r.about()
		paused = append(paused, align(about.barrier, barriers(about.name, from)...)...)
	}
	reach(ctx, catchUp, to)
	reach(ctx, followUp, from...)
	return func() {
		for _, b := range paused {
			b.open()
		}
	}
}

// barriers returns the barriers of the resources with a name.
func barriers(name string, of []*Watcher) (all []*barrier) {
	for _, w := range of {
		for _, r := range w.writer.resources {
			if r.about().name == name {
				all = append(all, r.about().barrier)
			}
		}
	}
	return all
}

// reach waits until the watchers have published everything up to their barriers, but no
// longer than patience.
func reach(ctx context.Context, patience time.Duration, watchers ...*Watcher) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, w := range watchers {
		for _, r := range w.writer.resources {
			r.about().barrier.await(ctx)
		}
		w.writer.flush()
	}
}

// barrier lets the events of a resource through up to a version, or all of them.
type barrier struct {
	rank uint64 // the order of locking: a caller that locks several barriers locks the lowest rank first

	mu      sync.Mutex
	heard   string        // version of the last event that arrived
	passed  string        // version of the last event that was let through
	sent    string        // version of the last event that the writer has received
	limit   string        // version up to which events pass; empty if all pass
	changed chan struct{} // closed when any of these fields changes
}

var barrierRanks atomic.Uint64

func newBarrier() *barrier {
	return &barrier{rank: barrierRanks.Add(1), changed: make(chan struct{})}
}

// lockAll locks each barrier once, in the order of their ranks. Without an order, two
// callers could wait for each other for ever.
func lockAll(barriers ...*barrier) (unlock func()) {
	ranked := slices.Clone(barriers)
	slices.SortFunc(ranked, func(a, b *barrier) int { return cmp.Compare(a.rank, b.rank) })
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

// align closes the barriers after the newest version that has passed any of them, and
// returns the closed ones. A barrier whose version cannot be compared with the first one's
// stays open.
func align(first *barrier, others ...*barrier) (closed []*barrier) {
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

func (b *barrier) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = ""
	b.announce()
}

// pass waits until the event with a version may be sent on, or until ctx ends.
func (b *barrier) pass(ctx context.Context, version string) {
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

// done records that everything up to a version has been sent on.
func (b *barrier) done(version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard, b.passed, b.sent = version, version, version
	b.announce()
}

// await waits until everything up to the limit has been sent on, or until ctx ends.
func (b *barrier) await(ctx context.Context) {
	b.wait(ctx, func() bool { return b.limit == "" || !newer(b.limit, b.sent) || newer(b.heard, b.limit) })
}

func (b *barrier) wait(ctx context.Context, until func() bool) {
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

func (b *barrier) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// newer reports whether a is newer than b. It reports false if they cannot be compared.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
