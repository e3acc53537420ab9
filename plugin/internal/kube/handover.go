package kube

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
)

const (
	// catchUp bounds how long HandOver waits for the new Watcher. What it selects may
	// have no event as new as those that the old one has seen.
	catchUp = time.Second
	// followUp bounds how long HandOver waits for the old one. A kind that does not
	// change has no event that tells of the version of a list.
	followUp = 250 * time.Millisecond
)

// HandOver holds Watchers of one API server where all have shown the same of each
// kind that they watch as the new one does. Two watches are never level by
// themselves, and while some answers come from one and some from another, they would
// go back. It takes no longer than catchUp and followUp together. All go on when
// resume is called, which is to be soon: what they show is getting old.
func HandOver(ctx context.Context, to *Watcher, from ...*Watcher) (resume func()) {
	var held []*barrier
	for _, f := range to.owner.feeds {
		held = append(held, level(f.barrier, barriers(f.name, from)...)...)
	}
	reach(ctx, catchUp, to)
	reach(ctx, followUp, from...)
	return func() {
		for _, b := range held {
			b.open()
		}
	}
}

// barriers are those of the feeds of one name.
func barriers(name string, of []*Watcher) (all []*barrier) {
	for _, w := range of {
		for _, f := range w.owner.feeds {
			if f.name == name {
				all = append(all, f.barrier)
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
		for _, f := range w.owner.feeds {
			f.barrier.await(ctx)
		}
		w.owner.flush()
	}
}

// barrier lets the events of a feed through up to a version, or all of them.
type barrier struct {
	mu      sync.Mutex
	heard   string        // the version of the last event
	passed  string        // that of the last one that was let through
	sent    string        // that of the last one that the owner has got
	limit   string        // empty if the barrier is open
	changed chan struct{} // closed when any of them changes
}

func newBarrier() *barrier { return &barrier{changed: make(chan struct{})} }

// level closes barriers behind the newest version that has come through one of them,
// and returns them. One whose version cannot be compared with the first one's stays as
// it is.
func level(first *barrier, others ...*barrier) (held []*barrier) {
	first.mu.Lock()
	defer first.mu.Unlock()
	limit := first.passed
	for _, b := range others {
		b.mu.Lock()
		defer b.mu.Unlock()
		order, err := resourceversion.CompareResourceVersion(b.passed, limit)
		if err != nil {
			continue
		}
		if order > 0 {
			limit = b.passed
		}
		held = append(held, b)
	}
	if len(held) == 0 {
		return nil
	}
	held = append(held, first)
	for _, b := range held {
		b.limit = limit
		b.tell()
	}
	return held
}

func (b *barrier) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = ""
	b.tell()
}

// pass waits until an event may be sent on, or ctx ends.
func (b *barrier) pass(ctx context.Context, version string) {
	b.wait(ctx, func() bool {
		if b.heard != version {
			b.heard = version
			b.tell()
		}
		if b.limit != "" && newer(version, b.limit) {
			return false
		}
		b.passed = version
		return true
	})
}

// done says that everything up to a version has been sent on.
func (b *barrier) done(version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard, b.passed, b.sent = version, version, version
	b.tell()
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

func (b *barrier) tell() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// newer says whether a version is newer than another. Those that cannot be compared
// are not.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
