package kube

import (
	"context"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const (
	// backlog is how many changes may wait for the owner. It bounds the memory
	// of a list that is decoded faster than it is applied.
	backlog = 256
	// batchLimit bounds how long a change can wait to be seen because of those
	// that keep coming behind it.
	batchLimit = 4096
	// checkpointInterval is a second because a serial is one.
	checkpointInterval = time.Second
)

// change is something that a source has learned. It runs on the owner's
// goroutine.
type change func(txn *cluster.Txn)

// owner holds the objects that the store is made of. It is the store's one
// writer.
type owner struct {
	store    *cluster.Store
	changes  chan change
	synced   chan struct{}
	ended    chan struct{}
	clock    clock.WithTicker
	observer Observer

	services       *table[cluster.Key, cluster.Service]
	slices         *table[cluster.Key, cluster.Slice]
	pods           *table[uint64, cluster.Pod]
	namespaces     *table[cluster.Key, namespace]
	imports        *table[cluster.Key, cluster.Service]
	importedSlices *table[cluster.Key, cluster.Slice]

	feeds   []*feed
	awaited int // kinds whose first list has not ended

	flushed      []chan<- struct{} // closed when the transaction under way is visible
	dated        []dated           // what the transaction under way is to make visible
	checkpointed time.Time         // when the last checkpoint was made, or the second began that may have none
	due          clock.Timer       // runs while a checkpoint waits for its second, else nil
	restamps     []time.Duration   // how long to wait for each of the checkpoints without a change
	listing      bool              // a list is under way
}

// afterStart is how long after the start data that has not changed is given another
// serial. The process before may have had a clock that was ahead, on another node or
// until it was set: its secondaries take no data with a lower serial, and the next
// change may be far away.
var afterStart = []time.Duration{time.Minute, 10 * time.Minute}

func newOwner(c clock.WithTicker, observer Observer) *owner {
	now := c.Now()
	return &owner{
		store:          cluster.NewStoreAfter(uint32(now.Unix())),
		checkpointed:   secondOf(now),
		restamps:       afterStart,
		changes:        make(chan change, backlog),
		synced:         make(chan struct{}),
		ended:          make(chan struct{}),
		clock:          c,
		observer:       observer,
		services:       newTable(serviceKey, sameService, (*cluster.Txn).ReplaceService),
		slices:         newTable(sliceKey, sameSlice, (*cluster.Txn).ReplaceSlice),
		pods:           newTable(podKey, samePod, (*cluster.Txn).ReplacePod),
		namespaces:     newTable(namespaceKey, sameNamespace, replaceNamespace),
		imports:        newTable(serviceKey, sameService, (*cluster.Txn).ReplaceImport),
		importedSlices: newTable(sliceKey, sameSlice, (*cluster.Txn).ReplaceImportSlice),
	}
}

func (o *owner) run(ctx context.Context) {
	defer close(o.ended)
	defer o.stopTimer()
	defer o.save(false)
	restamp, stop := o.nextRestamp()
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-o.changes:
			o.apply(c)
			o.save(o.lists())
		case <-o.timer():
			o.due = nil
			o.checkpoint()
		case <-restamp:
			o.restamp()
			restamp, stop = o.nextRestamp()
		}
	}
}

// apply commits a change, together with those that wait behind it already.
func (o *owner) apply(c change) {
	txn := o.store.Begin()
	for n := 1; c != nil; n++ {
		c(txn)
		if n == batchLimit {
			break
		}
		c = o.waiting()
	}
	o.commit(txn)
}

// waiting is a change that need not be waited for, or nil.
func (o *owner) waiting() change {
	select {
	case c := <-o.changes:
		return c
	default:
		return nil
	}
}

func (o *owner) commit(txn *cluster.Txn) {
	first := o.awaited == 0 && !o.store.Load().Synced()
	if first {
		txn.SetSynced()
	}
	if txn.Commit() {
		o.tell()
		o.checkpoint()
	}
	if first {
		close(o.synced)
	}
	for _, done := range o.flushed {
		close(done)
	}
	o.flushed = nil
}

// send has the owner make a change, unless it has ended.
func (o *owner) send(c change) {
	select {
	case o.changes <- c:
	case <-o.ended:
	}
}

// flush waits until everything that was sent before is visible, or the end of run.
func (o *owner) flush() {
	done := make(chan struct{})
	select {
	case o.changes <- func(*cluster.Txn) { o.flushed = append(o.flushed, done) }:
	case <-o.ended:
		return
	}
	select {
	case <-done:
	case <-o.ended:
	}
}

// checkpoint makes a checkpoint at once, or as soon as the last one is a second
// old. Elapsed time is measured by the monotonic clock: wall time may jump.
//
// No serial is that of the second in which the process started: the one before it
// may have used it, for other data, before it was killed. It has used none of a later
// second, since serials do not run ahead of the clock.
func (o *owner) checkpoint() {
	if o.due != nil || !o.store.Load().Synced() {
		return
	}
	if wait := checkpointInterval - o.clock.Since(o.checkpointed); wait > 0 {
		o.due = o.clock.NewTimer(wait)
		return
	}
	o.checkpointed = o.clock.Now()
	o.store.Checkpoint(uint32(o.checkpointed.Unix()))
}

// restamp gives the data a serial of a second that has not begun yet.
func (o *owner) restamp() {
	o.stopTimer()
	o.due = nil
	o.store.Touch()
	if begun := secondOf(o.clock.Now()); begun.After(o.checkpointed) {
		o.checkpointed = begun
	}
	o.checkpoint()
}

// nextRestamp is ready when the next checkpoint without a change is due.
func (o *owner) nextRestamp() (<-chan time.Time, func() bool) {
	if len(o.restamps) == 0 {
		return nil, func() bool { return false }
	}
	timer := o.clock.NewTimer(o.restamps[0])
	o.restamps = o.restamps[1:]
	return timer.C(), timer.Stop
}

// secondOf is when the second of a time began. It keeps the monotonic clock.
func secondOf(t time.Time) time.Time { return t.Add(-time.Duration(t.Nanosecond())) }

// lists says whether a list is under way.
func (o *owner) lists() bool {
	return slices.ContainsFunc(o.feeds, func(f *feed) bool { return f.listing() })
}

// save saves memory while a list is under way.
func (o *owner) save(listing bool) {
	if listing == o.listing {
		return
	}
	if o.listing = listing; listing {
		processThrift.begin()
	} else {
		processThrift.end()
	}
}

// timer is ready when a checkpoint is due; never, if none waits.
func (o *owner) timer() <-chan time.Time {
	if o.due == nil {
		return nil
	}
	return o.due.C()
}

func (o *owner) stopTimer() {
	if o.due != nil {
		o.due.Stop()
	}
}
