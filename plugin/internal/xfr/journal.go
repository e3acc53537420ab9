package xfr

import (
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const (
	// maxVersions is the largest number of checkpoints in a journal. A secondary that
	// follows every change is one or two behind.
	maxVersions = 64
	// maxDistance is the largest number of objects that may be kept for old checkpoints
	// alone: tens of megabytes at worst. A larger difference is no less work than the whole
	// zone.
	maxDistance = 20_000
	// maxRecipients is the largest number of secondaries that are remembered for one
	// checkpoint. Where anybody may transfer, their number has no bound.
	maxRecipients = 256
)

// journal records which checkpoints a Primary has sent to whom, and so from which
// checkpoints it can compute a difference. It keeps only checkpoints that were sent; they
// share unchanged data with the current one. It ends with its Primary, because after a
// reload the same checkpoint may make another zone.
type journal struct {
	mu       sync.Mutex
	versions []version // oldest first
	distance int       // sum over all versions
}

// version is a checkpoint that was sent.
type version struct {
	snapshot *cluster.Snapshot
	distance int // number of objects that the next version does not have
	sentTo   map[recipient]struct{}
}

// recipient is a secondary and the zone that it got.
type recipient struct {
	peer   string // address without port
	origin string
}

// keep adds a checkpoint before it is sent, and drops the oldest if there are too many.
func (j *journal) keep(s *cluster.Snapshot) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.versions); n > 0 {
		newest := &j.versions[n-1]
		if newest.snapshot.Serial() >= s.Serial() {
			return // another transfer has added it
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

// sent records that a secondary has a checkpoint, and reports whether that is new.
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

// forget removes the record that a secondary has a checkpoint.
func (j *journal) forget(serial uint32, to recipient) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v := j.find(serial); v != nil {
		delete(v.sentTo, to)
	}
}

// sentTo returns the checkpoint with a serial if it was sent to the secondary and is still
// there, or nil.
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
