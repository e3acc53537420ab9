package cluster

import "github.com/clusterdns/clusterdns/plugin/internal/radix"

// Restore shows a snapshot of another store, which was true at asOf (unix time), until this store
// has a whole cluster of its own: the transaction that syncs it takes the snapshot's place. Until
// then, transactions change what is not yet shown. If the snapshot has published names, they go on
// being shown until the store has all of its own. The store must not be synced. Only the writer may
// call Restore and Dismiss.
func (s *Store) Restore(from *Snapshot, asOf int64) {
	s.behind = s.live.Load()
	restored := *from
	restored.synced, restored.asOf, restored.serial = true, asOf, s.first
	s.live.Store(&restored)
	s.dirty = true
}

// Inherit puts the Services and EndpointSlices of a restored snapshot into a transaction that has none,
// so that those which stay as they were are in memory once. What has changed must be replaced or removed
// as anything that was put.
func (t *Txn) Inherit(from *Snapshot) {
	t.next.services, t.next.clusterIPs = from.services, from.clusterIPs
	t.next.endpoints, t.next.external = from.endpoints, from.external
	t.changed = true
}

// Dismiss takes back a restored snapshot, or what is left of one.
func (s *Store) Dismiss() {
	if s.behind == nil {
		return
	}
	if s.behind.synced {
		own := *s.behind
		own.serial = s.live.Load().serial
		s.live.Store(&own)
		s.dirty, s.behind = true, nil
		return
	}
	s.live.Store(s.behind)
	s.checkpoint.Store(&Snapshot{serial: s.checkpoint.Load().serial})
	s.behind = nil
}

// show shows a snapshot of a whole cluster, or of a part if there is nothing else to show. Restored
// names take the place of its own as long as those are not whole.
func (s *Store) show(next *Snapshot) {
	s.dirty = true
	shown := s.live.Load()
	if s.behind == nil || !shown.namesSynced || next.namesSynced {
		s.live.Store(next)
		s.behind = nil
		return
	}
	mixed := *next
	mixed.published, mixed.namesSynced = shown.published, true
	s.live.Store(&mixed)
	s.behind = next
}

// WithoutNames returns the snapshot without its published names.
func (s *Snapshot) WithoutNames() *Snapshot {
	without := *s
	without.published, without.namesSynced = radix.Tree[publishedName, PublishedNode]{}, false
	return &without
}

// RestoredAsOf returns the unix time at which a restored snapshot was true. It returns 0 for a
// snapshot that is not restored.
func (s *Snapshot) RestoredAsOf() int64 { return s.asOf }
