package cluster

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Store has the current snapshot and the last checkpoint. It has one writer and any number
// of readers, who take no lock.
//
// A checkpoint is a snapshot with a serial of its own. Look-ups see every commit at once;
// SOA records and transfers see checkpoints only, so that one serial always means the same
// data.
type Store struct {
	live       atomic.Pointer[Snapshot]
	checkpoint atomic.Pointer[Snapshot]
	next       atomic.Pointer[chan struct{}] // closed at the next checkpoint
	first      uint32                        // the lowest serial
	dirty      bool                          // for the writer only: live has changes that the checkpoint does not have
	behind     *Snapshot                     // for the writer only: what grows behind a restored snapshot, or behind its names; nil without one
}

// NewStore makes a store with an empty snapshot that is not synced.
func NewStore() *Store {
	s := new(Store)
	s.live.Store(new(Snapshot))
	s.checkpoint.Store(s.live.Load())
	next := make(chan struct{})
	s.next.Store(&next)
	return s
}

// NewStoreAfter makes a store whose checkpoints have higher serials than the given one.
// Look-ups report the lowest of those serials between the sync and the first checkpoint.
func NewStoreAfter(serial uint32) *Store {
	s := NewStore()
	s.first = serial + 1
	return s
}

// Load returns the current snapshot.
func (s *Store) Load() *Snapshot { return s.live.Load() }

// LoadCheckpoint returns the snapshot of the last checkpoint.
func (s *Store) LoadCheckpoint() *Snapshot { return s.checkpoint.Load() }

// NextCheckpoint returns a channel that closes at the next checkpoint after the call. A
// caller that loads the checkpoint after the channel closes never misses one.
func (s *Store) NextCheckpoint() <-chan struct{} { return *s.next.Load() }

// RaiseSerial gives the data at least the given serial without a checkpoint, because a serial
// that clients see must never go back (RFC 1982). Only the writer may call it.
func (s *Store) RaiseSerial(to uint32) {
	s.first = max(s.first, to)
	for _, of := range []*atomic.Pointer[Snapshot]{&s.live, &s.checkpoint} {
		if now := *of.Load(); now.synced && now.serial < to {
			now.serial = to
			of.Store(&now)
		}
	}
}

// Touch makes the next call of Checkpoint make one even if the data is the same. Only the
// writer may call it.
func (s *Store) Touch() { s.dirty = true }

// Checkpoint gives the current snapshot a serial: now, in unix seconds, or the last serial
// plus one if the clock is behind it. It does nothing before the first sync or without a
// change. The writer calls it at most once a second, so that the serial never runs ahead of
// the clock.
func (s *Store) Checkpoint(now uint32) {
	live := s.live.Load()
	if !s.dirty || !live.synced {
		return
	}
	next := *live
	next.serial = max(now, s.first, s.checkpoint.Load().serial+1)
	s.live.Store(&next)
	s.checkpoint.Store(&next)
	s.dirty = false
	upcoming := make(chan struct{})
	close(*s.next.Swap(&upcoming))
}

// Txn is a batch of changes. It is not safe for concurrent use, and only the newest
// transaction of a store may be committed.
//
// Each Replace method takes an object as it was and as it is now; nil stands for an object
// that does not exist. The caller must pass the same old object that it passed before as
// the new one.
type Txn struct {
	store   *Store
	next    Snapshot
	id      *radix.TxnID
	changed bool
}

// Begin begins a transaction on the current snapshot, or on what grows behind a restored one.
func (s *Store) Begin() *Txn {
	base := s.behind
	if base == nil {
		base = s.live.Load()
	}
	return &Txn{store: s, next: *base, id: new(radix.TxnID)}
}

// Commit makes all changes visible at once and ends the transaction. It reports whether
// there were any changes.
func (t *Txn) Commit() bool {
	switch {
	case !t.changed:
	case t.store.behind != nil && !t.next.synced:
		t.store.behind = &t.next
	default:
		// A checkpoint may have been made since the transaction began.
		t.next.serial = t.store.live.Load().serial
		if t.next.synced {
			t.next.serial = max(t.next.serial, t.store.first)
		}
		t.store.show(&t.next)
	}
	return t.changed
}

// SetSynced marks the snapshot as having a whole cluster.
func (t *Txn) SetSynced() {
	t.changed = t.changed || !t.next.synced
	t.next.synced = true
}

// PutNamespace adds a Namespace.
func (t *Txn) PutNamespace(name string) {
	if t.next.HasNamespace(name) {
		return
	}
	t.changed = true
	t.next.namespaces.Put(t.id, namespace(name), struct{}{})
}

// DeleteNamespace removes a Namespace, but not the objects in it.
func (t *Txn) DeleteNamespace(name string) {
	if !t.next.HasNamespace(name) {
		return
	}
	t.changed = true
	t.next.namespaces.Remove(t.id, namespace(name))
}

// ReplaceService replaces a Service by another with the same key.
func (t *Txn) ReplaceService(old, now *Service) {
	n := t.replaceService(&t.next.services, old, now)
	t.reindex(&t.next.clusterIPs, n, old.addrs(), now.addrs())
	t.reindexExternal(n, old, now)
}

// ReplaceImport replaces a ServiceImport by another with the same key. Its addresses get no
// reverse names: the cluster that exports the Service names them.
func (t *Txn) ReplaceImport(old, now *Service) {
	t.replaceService(&t.next.imports, old, now)
}

// ReplaceSlice replaces a slice. The new one may belong to another Service.
func (t *Txn) ReplaceSlice(old, now *Slice) {
	if old.moves(now) {
		t.ReplaceSlice(old, nil)
		old = nil
	}
	n := t.replaceSlice(&t.next.services, old, now)
	t.reindex(&t.next.endpoints, n, old.addrs(), now.addrs())
}

// Slices returns the slices of a Service that the transaction has, sorted by name.
func (t *Txn) Slices(service Key) []*Slice {
	n, known := t.next.services.Get(service)
	if !known {
		return nil
	}
	return n.Slices
}

// ReplaceImportSlice replaces a slice of a ServiceImport.
func (t *Txn) ReplaceImportSlice(old, now *Slice) {
	if old.moves(now) {
		t.ReplaceImportSlice(old, nil)
		old = nil
	}
	t.replaceSlice(&t.next.imports, old, now)
}

// moves reports whether a slice changes its Service.
func (s *Slice) moves(now *Slice) bool {
	return s != nil && now != nil && s.Key() != now.Key()
}

func (t *Txn) replaceService(in *radix.Tree[Key, *ServiceNode], old, now *Service) *ServiceNode {
	n := edit(in, either(old, now).Key)
	n.Service = now
	t.put(in, n)
	return n
}

func (t *Txn) replaceSlice(in *radix.Tree[Key, *ServiceNode], old, now *Slice) *ServiceNode {
	changed := either(old, now)
	n, name := edit(in, changed.Key()), changed.Name
	i, found := slices.BinarySearchFunc(n.Slices, name, func(s *Slice, name string) int { return strings.Compare(s.Name, name) })
	n.Slices = slices.Clone(n.Slices)
	switch {
	case now == nil && found:
		n.Slices = slices.Delete(n.Slices, i, i+1)
	case now != nil && found:
		n.Slices[i] = now
	case now != nil:
		n.Slices = slices.Insert(n.Slices, i, now)
	}
	t.put(in, n)
	return n
}

// ReplacePod replaces a Pod.
func (t *Txn) ReplacePod(old, now *Pod) {
	t.changed = true
	if old != nil {
		for a := range old.Addrs() {
			t.next.pods.Remove(t.id, a, old)
		}
	}
	if now != nil {
		for a := range now.Addrs() {
			t.next.pods.Add(t.id, a, now)
		}
	}
}

// edit returns a copy of a Service's node, for the caller to change and put back.
func edit(in *radix.Tree[Key, *ServiceNode], key Key) *ServiceNode {
	if n, ok := in.Get(key); ok {
		return &ServiceNode{Key: n.Key, Service: n.Service, Slices: n.Slices}
	}
	return &ServiceNode{Key: &key}
}

// put stores a changed node, or removes it if it has neither a Service nor slices.
func (t *Txn) put(in *radix.Tree[Key, *ServiceNode], n *ServiceNode) {
	t.changed = true
	if n.Service == nil && len(n.Slices) == 0 {
		in.Remove(t.id, *n.Key)
		return
	}
	in.Put(t.id, *n.Key, n)
}

// reindex updates an index after a part of a node was replaced. Both lists must be sorted;
// addresses that are in both cost nothing.
func (t *Txn) reindex(in *radix.AddrIndex[*Key], n *ServiceNode, before, after []netip.Addr) {
	for _, a := range before {
		if !contains(after, a) && (in != &t.next.endpoints || !n.hasEndpointAt(a)) {
			in.Remove(t.id, a, n.Key)
		}
	}
	for _, a := range after {
		if !contains(before, a) {
			in.Add(t.id, a, n.Key)
		}
	}
}

func contains(sorted []netip.Addr, a netip.Addr) bool {
	_, ok := slices.BinarySearchFunc(sorted, a, netip.Addr.Compare)
	return ok
}

// addrs returns the ClusterIPs of a Service, sorted. The caller must not change them.
func (s *Service) addrs() []netip.Addr {
	if s == nil {
		return nil
	}
	if slices.IsSortedFunc(s.ClusterIPs, netip.Addr.Compare) {
		return s.ClusterIPs // as nearly all have only one
	}
	return slices.SortedFunc(slices.Values(s.ClusterIPs), netip.Addr.Compare)
}

// addrs returns the addresses of a slice, sorted.
func (s *Slice) addrs() []netip.Addr {
	if s == nil {
		return nil
	}
	addrs := make([]netip.Addr, s.Endpoints.Len())
	for i := range addrs {
		addrs[i] = s.Endpoints.Addr(i)
	}
	return addrs
}

// either returns a, or b if a is nil.
func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
