package xfr

import (
	"fmt"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// journalStore makes checkpoints of a number of Namespaces and Services.
type journalStore struct {
	*cluster.Store
	made int
}

func newJournalStore() *journalStore {
	s := &journalStore{Store: cluster.NewStore()}
	txn := s.Begin()
	txn.SetSynced()
	txn.Commit()
	return s
}

// change returns a checkpoint with some more Services than before.
func (s *journalStore) change(services int) *cluster.Snapshot {
	txn := s.Begin()
	for range services {
		s.made++
		txn.ReplaceService(nil, &cluster.Service{Key: cluster.Key{Namespace: "shop", Name: fmt.Sprint(s.made)}})
	}
	txn.Commit()
	s.Checkpoint(1)
	return s.LoadCheckpoint()
}

func TestJournalForgets(t *testing.T) {
	for _, tc := range []struct {
		name           string
		services, kept int
	}{
		{"many versions", 1, maxVersions},
		{"large versions", maxDistance / 4, 5},
		{"huge versions", maxDistance + 1, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, j := newJournalStore(), new(journal)
			var made []*cluster.Snapshot
			for range maxVersions + 3 {
				made = append(made, s.change(tc.services))
				j.keep(made[len(made)-1])
				if tc.kept < maxVersions && len(made) == 8 {
					break
				}
			}
			for i, snapshot := range made {
				want := snapshot
				if i < len(made)-tc.kept {
					want = nil
				}
				j.sent(snapshot.Serial(), recipient{})
				if got := j.sentTo(snapshot.Serial(), recipient{}); got != want {
					t.Errorf("version %d of %d: %v, want %v", i, len(made), got != nil, want != nil)
				}
			}
		})
	}
}

func TestJournalKnowsRecipients(t *testing.T) {
	s, j := newJournalStore(), new(journal)
	first, second := s.change(1), s.change(1)
	a, b := recipient{"10.0.0.1", clusterZone}, recipient{"10.0.0.2", clusterZone}
	j.keep(second)
	j.keep(first) // too late
	j.keep(second)
	j.sent(first.Serial(), a)
	j.sent(second.Serial(), b)
	for _, tc := range []struct {
		serial uint32
		to     recipient
		want   bool
	}{
		{first.Serial(), a, false},
		{second.Serial(), a, false},
		{second.Serial(), b, true},
		{second.Serial(), recipient{b.peer, "other."}, false},
		{0, b, false},
	} {
		if got := j.sentTo(tc.serial, tc.to) != nil; got != tc.want {
			t.Errorf("%d to %v: %v", tc.serial, tc.to, got)
		}
	}
	for i := range 2 * maxRecipients {
		j.sent(second.Serial(), recipient{fmt.Sprint(i), clusterZone})
	}
	if n := len(j.versions[0].sentTo); n != maxRecipients {
		t.Errorf("%d recipients are remembered", n)
	}
}
