// Package checkpoint decides when the data of a store gets a checkpoint, and so which serial it has: the
// second in which its checkpoint is made (RFC 1982 orders serials, so they must never go back).
//
// The rule not to break: no second is the serial of two different states of the data.
package checkpoint

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// interval is a second because serials are unix seconds.
const interval = time.Second

// afterStart is when, counted from the start, unchanged data gets another serial. The
// previous process may have run on a node whose clock was ahead, or until its clock was
// set. Its secondaries accept no data with a lower serial, and the next change may take
// long to come.
var afterStart = []time.Duration{time.Minute, 10 * time.Minute}

// Maker makes the checkpoints of a store. Only the goroutine that writes to the store may call its
// methods, but for AwaitSecond.
type Maker struct {
	Restamps []time.Duration // the waits before each of the remaining restamps

	store *cluster.Store
	clock clock.WithTicker
	made  time.Time   // when the last checkpoint was made, or the start of a second that must not get one
	due   clock.Timer // runs while a checkpoint waits for the next second; nil otherwise
	holds int         // the number of callers that let no checkpoint be made
}

// New makes a store, and the maker of its checkpoints.
func New(c clock.WithTicker) (*cluster.Store, *Maker) {
	now := c.Now()
	store := cluster.NewStoreAfter(uint32(now.Unix()))
	return store, &Maker{Restamps: afterStart, store: store, clock: c, made: secondOf(now)}
}

// Make makes a checkpoint at once, or as soon as the last one is a second old. It
// measures elapsed time with the monotonic clock, because wall time may jump.
//
// No checkpoint gets the second in which the process started: the previous process may have
// used that serial for other data before it ended. It cannot have used a later second,
// since serials do not run ahead of the clock.
func (m *Maker) Make() {
	if m.due != nil || m.holds > 0 || !m.store.Load().Synced() {
		return
	}
	if wait := interval - m.clock.Since(m.made); wait > 0 {
		m.due = m.clock.NewTimer(wait)
		return
	}
	m.made = m.clock.Now()
	m.store.Checkpoint(uint32(m.made.Unix()))
}

// Due returns a channel that is ready when the caller must call Fire; it is nil if no checkpoint waits.
func (m *Maker) Due() <-chan time.Time {
	if m.due == nil {
		return nil
	}
	return m.due.C()
}

// Fire makes the checkpoint that has waited.
func (m *Maker) Fire() {
	m.due = nil
	m.Make()
}

// Stop makes a checkpoint that waits wait no longer.
func (m *Maker) Stop() {
	if m.due != nil {
		m.due.Stop()
		m.due = nil
	}
}

// Restamp makes a checkpoint of the same data in a second that has not begun yet.
func (m *Maker) Restamp() {
	m.Stop()
	m.store.Touch()
	if begun := secondOf(m.clock.Now()); begun.After(m.made) {
		m.made = begun
	}
	m.Make()
}

// NextRestamp returns a channel that is ready when the next restamp is due, and a function
// that stops its timer.
func (m *Maker) NextRestamp() (<-chan time.Time, func() bool) {
	if len(m.Restamps) == 0 {
		return nil, func() bool { return false }
	}
	timer := m.clock.NewTimer(m.Restamps[0])
	m.Restamps = m.Restamps[1:]
	return timer.C(), timer.Stop
}

// Hold lets no checkpoint be made until Release is called.
func (m *Maker) Hold() {
	m.holds++
	m.Stop()
}

// Release ends a hold, and makes the checkpoint that has waited for it.
func (m *Maker) Release() {
	m.holds--
	m.Make()
}

// AwaitSecond waits until a second has begun, because serials must not run ahead of the clock. It
// does not wait for a clock that was set back.
func (m *Maker) AwaitSecond(unix uint32) {
	if wait := time.Unix(int64(unix), 0).Sub(m.clock.Now()); wait > 0 {
		<-m.clock.After(min(wait, interval))
	}
}

// Raise makes a checkpoint with a serial, even if the data is the same, unless the last one has it.
func (m *Maker) Raise(to uint32) {
	if m.store.LoadCheckpoint().Serial() >= to {
		return
	}
	m.store.Touch()
	m.made = m.clock.Now()
	m.store.Checkpoint(to)
}

// secondOf returns the start of the second that a time is in. It keeps the monotonic clock.
func secondOf(t time.Time) time.Time { return t.Add(-time.Duration(t.Nanosecond())) }
