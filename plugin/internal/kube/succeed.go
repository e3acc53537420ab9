package kube

import (
	"slices"
	"time"
)

// Succeed gives the data of a new Watcher and of the Watchers whose place it takes one serial. Each
// makes checkpoints in seconds of its own, and during a reload both answer, so that without this a
// secondary would see the serial go back.
//
// None of them makes another checkpoint until the caller calls release, which it must do once. The
// call may take a second.
func Succeed(to *Watcher, from ...*Watcher) (release func()) {
	all := slices.Concat(from, []*Watcher{to})
	var highest uint32
	for _, w := range all {
		highest = max(highest, w.hold())
	}
	to.writer.awaitSecond(highest)
	for _, w := range all {
		w.writer.do(func() { w.writer.raise(highest) })
	}
	return func() {
		for _, w := range all {
			w.writer.do(w.writer.release)
		}
	}
}

// hold lets no checkpoint be made until release is called, and returns the serial of the data.
func (w *Watcher) hold() (serial uint32) {
	w.writer.do(func() {
		w.writer.holds++
		w.writer.stopTimer()
	})
	return w.writer.store.Load().Serial()
}

// awaitSecond waits until a second has begun, because serials must not run ahead of the clock. It
// does not wait for a clock that was set back.
func (w *writer) awaitSecond(unix uint32) {
	if wait := time.Unix(int64(unix), 0).Sub(w.clock.Now()); wait > 0 {
		<-w.clock.After(min(wait, checkpointInterval))
	}
}

// raise makes a checkpoint with a serial, even if the data is the same, unless the last one has it.
func (w *writer) raise(to uint32) {
	if w.store.LoadCheckpoint().Serial() >= to {
		return
	}
	w.store.Touch()
	w.checkpointed = w.clock.Now()
	w.store.Checkpoint(to)
}

// release ends a hold, and makes the checkpoint that has waited for it.
func (w *writer) release() {
	w.holds--
	w.checkpoint()
}
