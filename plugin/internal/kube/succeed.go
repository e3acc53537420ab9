package kube

import "slices"

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
	to.writer.checkpoints.AwaitSecond(highest)
	for _, w := range all {
		w.writer.do(func() { w.writer.checkpoints.Raise(highest) })
	}
	return func() {
		for _, w := range all {
			w.writer.do(w.writer.checkpoints.Release)
		}
	}
}

// hold lets no checkpoint be made until release is called, and returns the serial of the data.
func (w *Watcher) hold() (serial uint32) {
	w.writer.do(w.writer.checkpoints.Hold)
	return w.writer.store.Load().Serial()
}
