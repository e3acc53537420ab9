package xfr

import (
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const (
	// maxVersions is how many checkpoints are kept. A secondary that follows
	// every change is one or two behind.
	maxVersions = 64
	// maxDistance is how many objects may be kept that only old checkpoints have:
	// tens of megabytes at worst. A difference that large is no less work than the
	// whole zone.
	maxDistance = 20_000
	// maxRecipients is how many secondaries are remembered for one checkpoint.
	// Where anybody may transfer, the number of those who do has no bound.
	maxRecipients = 256
)

// journal is what a Primary has sent to whom: the checkpoints that it can tell a
// secondary the difference to. Only those that were sent are kept; they share
// what did not change with the current one. It ends with its Primary, because
// after a reload the same checkpoint may be another zone.
type journal struct {
	mu       sync.Mutex
	versions []version // oldest first
	distance int       // of all versions
}

// version is a checkpoint that was sent.
type version struct {
	snapshot *cluster.Snapshot
	distance int // to the next version
	sentTo   map[recipient]struct{}
}

// recipient is a secondary and what it was sent.
type recipient struct {
	peer   string // address without port
	origin string
}

// keep adds a checkpoint that is about to be sent, and drops the oldest if there
// are too many.
func (j *journal) keep(s *cluster.Snapshot) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.versions); n > 0 {
		newest := &j.versions[n-1]
		if newest.snapshot.Serial() >= s.Serial() {
			return // another transfer was faster
		}
		newest.distance = newest.snapshot.RetainedObjects(s)
		j.distance += newest.distance
	}
	j.versions = append(j.versions, version{snapshot: s, sentTo: map[recipient]struct{}{}})
	for len(j.versions) > maxVersions || j.distance > maxDistance {
		j.distance -= j.versions[0].distance
		j.versions[0] = version{}
		j.versions = j.versions[1:]
	}
}

// sent notes that a secondary has a checkpoint, and reports whether that is new.
func (j *journal) sent(serial uint32, to recipient) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.find(serial)
	if v == nil || len(v.sentTo) >= maxRecipients {
		return false
	}
	_, known := v.sentTo[to]
	v.sentTo[to] = struct{}{}
	return !known
}

// forget takes back that a secondary has a checkpoint.
func (j *journal) forget(serial uint32, to recipient) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v := j.find(serial); v != nil {
		delete(v.sentTo, to)
	}
}

// sentTo returns the checkpoint with a serial if it was sent to a secondary and is
// still kept, or nil.
func (j *journal) sentTo(serial uint32, to recipient) *cluster.Snapshot {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.find(serial)
	if v == nil {
		return nil
	}
	if _, ok := v.sentTo[to]; !ok {
		return nil
	}
	return v.snapshot
}

func (j *journal) find(serial uint32) *version {
	for i := range j.versions {
		if j.versions[i].snapshot.Serial() == serial {
			return &j.versions[i]
		}
	}
	return nil
}
