package kube

import (
	"context"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
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
type change func(txn *zone.Txn)

// owner holds the objects that the store is made of. It is the store's one
// writer.
type owner struct {
	store    *zone.Store
	changes  chan change
	synced   chan struct{}
	ended    chan struct{}
	clock    clock.WithTicker
	observer Observer

	services       *table[zone.Key, zone.Service]
	slices         *table[zone.Key, zone.Slice]
	pods           *table[uint64, zone.Pod]
	namespaces     *table[zone.Key, namespace]
	imports        *table[zone.Key, zone.Service]
	importedSlices *table[zone.Key, zone.Slice]

	feeds   []*feed
	awaited int // kinds whose first list has not ended

	flushed      []chan<- struct{} // closed when the transaction under way is visible
	dated        []dated           // what the transaction under way is to make visible
	checkpointed time.Time         // of the last checkpoint, zero before the first
	due          clock.Timer       // runs while a checkpoint waits for its second, else nil
	listing      bool              // a list is under way
}

func newOwner(c clock.WithTicker, observer Observer) *owner {
	return &owner{
		store:          zone.NewStore(),
		changes:        make(chan change, backlog),
		synced:         make(chan struct{}),
		ended:          make(chan struct{}),
		clock:          c,
		observer:       observer,
		services:       newTable(serviceKey, sameService, (*zone.Txn).ReplaceService),
		slices:         newTable(sliceKey, sameSlice, (*zone.Txn).ReplaceSlice),
		pods:           newTable(podKey, samePod, (*zone.Txn).ReplacePod),
		namespaces:     newTable(namespaceKey, sameNamespace, replaceNamespace),
		imports:        newTable(serviceKey, sameService, (*zone.Txn).ReplaceImport),
		importedSlices: newTable(sliceKey, sameSlice, (*zone.Txn).ReplaceImportSlice),
	}
}

func (o *owner) run(ctx context.Context) {
	defer close(o.ended)
	defer o.stopTimer()
	defer o.save(false)
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

func (o *owner) commit(txn *zone.Txn) {
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

// flush waits until everything that was sent before is visible, or the end of run.
func (o *owner) flush() {
	done := make(chan struct{})
	select {
	case o.changes <- func(*zone.Txn) { o.flushed = append(o.flushed, done) }:
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
func (o *owner) checkpoint() {
	if o.due != nil || !o.store.Load().Synced() {
		return
	}
	wait := checkpointInterval - o.clock.Since(o.checkpointed)
	if wait > 0 && !o.checkpointed.IsZero() {
		o.due = o.clock.NewTimer(wait)
		return
	}
	o.checkpointed = o.clock.Now()
	o.store.Checkpoint(uint32(o.checkpointed.Unix()))
}

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
