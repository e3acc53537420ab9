package cluster

// Restore shows a snapshot of another store, which was true at asOf (unix time), until this store
// has a whole cluster of its own: the transaction that syncs it takes the snapshot's place. Until
// then, transactions change what is not yet shown. The store must not be synced. Only the writer may
// call Restore and Dismiss.
func (s *Store) Restore(from *Snapshot, asOf int64) {
	s.behind = s.live.Load()
	restored := *from
	restored.synced, restored.asOf, restored.serial = true, asOf, s.first
	s.live.Store(&restored)
	s.dirty = true
}

// Dismiss takes back a restored snapshot.
func (s *Store) Dismiss() {
	if s.behind == nil {
		return
	}
	s.live.Store(s.behind)
	s.checkpoint.Store(&Snapshot{serial: s.checkpoint.Load().serial})
	s.behind = nil
}

// RestoredAsOf returns the unix time at which a restored snapshot was true. It returns 0 for a
// snapshot that is not restored.
func (s *Snapshot) RestoredAsOf() int64 { return s.asOf }
