package kube

import (
	"context"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/barrier"
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
	var paused []*barrier.Barrier
	for _, r := range to.writer.resources {
		about := r.about()
		paused = append(paused, barrier.Close(about.barrier, barriers(about.name, from)...)...)
	}
	reach(ctx, catchUp, to)
	reach(ctx, followUp, from...)
	return func() {
		for _, b := range paused {
			b.Open()
		}
	}
}

// barriers returns the barriers of the resources with a name.
func barriers(name string, of []*Watcher) (all []*barrier.Barrier) {
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
			r.about().barrier.Await(ctx)
		}
		w.writer.flush()
	}
}
