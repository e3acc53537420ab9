package kube

import (
	"context"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/checkpoint"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/thrift"
)

const (
	// backlog is how many changes may wait for the writer. It bounds the memory of a list
	// that is decoded faster than it is applied.
	backlog = 256
	// batchLimit is the largest number of changes in one commit. It bounds how long a
	// change waits while others keep arriving.
	batchLimit = 4096
)

// change is a change that a source sends. It runs on the writer's goroutine.
type change func(txn *cluster.Txn)

// writer owns the objects that the store consists of, and is the only writer of the store.
type writer struct {
	store    *cluster.Store
	changes  chan change
	synced   chan struct{} // closed when the store has the whole cluster of the source
	ended    chan struct{}
	clock    clock.WithTicker
	observer Observer

	services       *table.Table[cluster.Key, cluster.Service]
	slices         *table.Table[cluster.Key, cluster.Slice]
	pods           *table.Table[uint64, cluster.Pod]
	namespaces     *table.Table[cluster.Key, namespace]
	imports        *table.Table[cluster.Key, cluster.Service]
	importedSlices *table.Table[cluster.Key, cluster.Slice]
	names          *publish.Set

	resources []resource
	awaited   int  // number of kinds whose first list has not ended
	inherits  bool // the lists have the Services and slices that a state has
	outside   *outside

	publishes    bool // some kinds give names to the world
	namesAwaited int  // number of those whose first list has not ended
	contested    int  // number of names that several objects have, as last reported

	flushed []chan<- struct{} // closed when the current transaction is visible
	dated   []dated           // the dated changes of the current transaction
	saving  bool              // the garbage collector saves memory

	checkpoints *checkpoint.Maker // of the store
}

// dated is a visible change of an EndpointSlice with the time of its cause.
type dated struct {
	service cluster.Key
	since   time.Time
}

func newWriter(c clock.WithTicker, observer Observer, published publish.Settings) *writer {
	store, checkpoints := checkpoint.New(c)
	names := publish.NewSet(published)
	w := &writer{
		store:          store,
		checkpoints:    checkpoints,
		changes:        make(chan change, backlog),
		synced:         make(chan struct{}),
		ended:          make(chan struct{}),
		clock:          c,
		observer:       observer,
		services:       table.New(serviceKey, (*cluster.Service).Same, (*cluster.Txn).ReplaceService),
		slices:         table.New(sliceKey, (*cluster.Slice).Same, names.ReplaceSlice),
		pods:           table.New(podKey, (*cluster.Pod).Same, (*cluster.Txn).ReplacePod),
		names:          names,
		imports:        table.New(serviceKey, (*cluster.Service).Same, (*cluster.Txn).ReplaceImport),
		importedSlices: table.New(sliceKey, (*cluster.Slice).Same, (*cluster.Txn).ReplaceImportSlice),
		outside:        newOutside(),
	}
	w.namespaces = table.New(namespaceKey, sameNamespace, w.replaceNamespace)
	// An address that two Pods have identifies neither. That is safer than to keep it for
	// the first Pod: a search path would be completed for the wrong Namespace.
	w.pods.Immediate = true
	return w
}

func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	defer w.checkpoints.Stop()
	defer w.save(false)
	restamp, stop := w.checkpoints.NextRestamp()
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-w.changes:
			w.apply(c)
			w.save(w.spends())
		case <-w.checkpoints.Due():
			w.checkpoints.Fire()
			w.save(w.spends())
		case <-restamp:
			w.checkpoints.Restamp()
			restamp, stop = w.checkpoints.NextRestamp()
		}
	}
}

// apply commits a change together with the changes that already wait behind it.
func (w *writer) apply(c change) {
	txn := w.store.Begin()
	for n := 1; c != nil; n++ {
		c(txn)
		if n == batchLimit {
			break
		}
		c = w.waiting()
	}
	w.commit(txn)
}

// waiting returns a change that is already there, or nil.
func (w *writer) waiting() change {
	select {
	case c := <-w.changes:
		return c
	default:
		return nil
	}
}

func (w *writer) commit(txn *cluster.Txn) {
	first := w.awaited == 0 && !closed(w.synced)
	if first {
		txn.SetSynced()
	}
	if w.publishes && w.namesAwaited == 0 {
		txn.SetNamesSynced()
		w.settleNames()
	}
	if txn.Commit() {
		w.observe()
		w.checkpoints.Make()
	}
	if first {
		close(w.synced)
	}
	for _, done := range w.flushed {
		close(done)
	}
	w.flushed = nil
}

// observe reports a commit to the observer.
func (w *writer) observe() {
	w.observer.Committed()
	for _, d := range w.dated {
		w.observeLatency(d)
	}
	w.dated = nil
	for _, r := range w.resources {
		about, n := r.about(), r.count()
		if n != about.told {
			w.observer.Held(about.name, n)
			about.told = n
		}
	}
}

// observeLatency ignores changes that no client could see: those before the sync, and those
// of a Service that does not exist. A latency is at least zero, because the local clock may
// be behind the controller's.
func (w *writer) observeLatency(d dated) {
	service := w.services.Held.At(d.service)
	if service == nil || !closed(w.synced) {
		return
	}
	kind := "cluster_ip"
	if service.Kind == cluster.Headless {
		kind = "headless_with_selector"
	}
	w.observer.Programmed(kind, max(0, w.clock.Since(d.since)))
}

// inherit has the first lists compared with the Services and slices of a restored state, so that what is
// still the same is in memory once. Pods are left out: their IDs mean nothing in another process. It
// does nothing once a list has begun, since it may have ended, nor where no list is to come.
func (w *writer) inherit(txn *cluster.Txn, s *cluster.Snapshot) {
	if !w.inherits || !w.services.Fresh() || !w.slices.Fresh() {
		return
	}
	txn.Inherit(s)
	for n := range s.Nodes(false) {
		if n.Service != nil {
			w.services.Held.Put(n.Service)
		}
		for _, slice := range n.Slices {
			w.slices.Held.Put(slice)
		}
	}
}

// send passes a change to the writer, unless the writer has ended.
func (w *writer) send(c change) {
	select {
	case w.changes <- c:
	case <-w.ended:
	}
}

// do runs f on the writer's goroutine and waits for its end. It reports whether the writer ran
// it: a writer that has ended runs nothing.
func (w *writer) do(f func()) bool {
	done := make(chan struct{})
	w.send(func(*cluster.Txn) {
		defer close(done)
		f()
	})
	select {
	case <-done:
		return true
	case <-w.ended:
		return false
	}
}

// flush waits until everything that was sent before is visible, or until the writer ends.
func (w *writer) flush() {
	done := make(chan struct{})
	select {
	case w.changes <- func(*cluster.Txn) { w.flushed = append(w.flushed, done) }:
	case <-w.ended:
		return
	}
	select {
	case <-done:
	case <-w.ended:
	}
}

// lists reports whether a list is under way.
func (w *writer) lists() bool {
	return slices.ContainsFunc(w.resources, resource.listing)
}

// spends reports whether a list takes memory: it is under way, or the last checkpoint still has what it
// took the place of.
func (w *writer) spends() bool { return w.lists() || w.saving && w.checkpoints.Due() != nil }

// save makes the garbage collector save memory, or return it to the operating system.
func (w *writer) save(saving bool) {
	if saving == w.saving {
		return
	}
	if w.saving = saving; saving {
		thrift.Begin()
	} else {
		thrift.End()
	}
}

func serviceKey(s *cluster.Service) cluster.Key { return s.Key }
func sliceKey(s *cluster.Slice) cluster.Key     { return cluster.Key{Namespace: s.Namespace, Name: s.Name} }
func podKey(p *cluster.Pod) uint64              { return p.ID }
