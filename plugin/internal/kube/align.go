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
	// catchUp bounds how long Align waits for the new Watcher. What it selects may
	// have no event as new as those that the old one has seen.
	catchUp = time.Second
	// followUp bounds how long Align waits for the old one. A kind that does not
	// change has no event that tells of the version of a list.
	followUp = 250 * time.Millisecond
)

// Align pauses Watchers of one API server where all have shown the same of each kind
// that they watch as the new one does. Two watches are never level by themselves, and
// while some answers come from one and some from another, they would go back. It takes
// no longer than catchUp and followUp together. All go on when resume is called, which
// must be soon: what they show is getting old.
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

// barriers are those of the resources of one name.
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

// reach waits until everything up to the barriers is shown, or for a while.
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
	rank uint64 // whoever locks several barriers locks those with a lower rank first

	mu      sync.Mutex
	heard   string        // the version of the last event
	passed  string        // that of the last one that was let through
	sent    string        // that of the last one that the writer has got
	limit   string        // empty if the barrier is open
	changed chan struct{} // closed when any of them changes
}

var barrierRanks atomic.Uint64

func newBarrier() *barrier {
	return &barrier{rank: barrierRanks.Add(1), changed: make(chan struct{})}
}

// lockAll locks barriers, each once, in the order of their ranks. Without an order two
// callers could wait for each other.
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

// align closes barriers behind the newest version that has come through one of them,
// and returns them. One whose version cannot be compared with the first one's stays as
// it is.
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

// pass waits until an event may be sent on, or ctx ends.
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

// done notes that everything up to a version has been sent on.
func (b *barrier) done(version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard, b.passed, b.sent = version, version, version
	b.announce()
}

// await waits until everything up to the limit has been sent on, or ctx ends.
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

// newer reports whether a version is newer than another. Those that cannot be compared
// are not.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
