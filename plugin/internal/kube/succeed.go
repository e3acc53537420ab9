package kube

// Succeed gives the data of a new Watcher at least the serial of the Watchers whose place it
// takes. Each makes checkpoints in seconds of its own, so without this a secondary that asks
// during a reload would see the serial go back.
//
// The old Watchers make no checkpoint until the caller calls release, which it must do once.
func Succeed(to *Watcher, from ...*Watcher) (release func()) {
	var highest uint32
	for _, w := range from {
		highest = max(highest, w.hold())
	}
	to.writer.do(func() { to.writer.store.RaiseSerial(highest) })
	return func() {
		for _, w := range from {
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

// release ends a hold, and makes the checkpoint that has waited for it.
func (w *writer) release() {
	w.holds--
	w.checkpoint()
}
