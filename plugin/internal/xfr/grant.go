package xfr

import (
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// grant is what a secondary that asks for a difference may get. The zero grant is for the
// whole zone.
type grant struct {
	serial uint32            // the serial in its question
	before *cluster.Snapshot // the checkpoint with that serial if we have sent it to the secondary, else nil
}

// upToDate reports whether the secondary needs nothing, because it has our serial or a
// newer one (RFC 1995 2). The same serial from another replica proves nothing.
func (g grant) upToDate(serial uint32) bool {
	if g.serial == serial {
		return g.before != nil
	}
	return g.serial != 0 && newer(g.serial, serial)
}

// newer reports whether a serial comes after another (RFC 1982 3.2).
func newer(a, b uint32) bool { return int32(a-b) > 0 }

// grants are the grants of questions in progress. The number of a grant replaces the serial
// on the way through the plugin transfer, which passes on nothing else.
type grants struct {
	mu   sync.Mutex
	last uint32
	open map[uint32]grant
}

// add adds a grant and returns its number, which is never 0: that stands for the whole
// zone.
func (g *grants) add(granted grant) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[uint32]grant{}
	}
	for g.last++; g.last == 0 || g.taken(g.last); {
		g.last++
	}
	g.open[g.last] = granted
	return g.last
}

func (g *grants) taken(number uint32) bool {
	_, ok := g.open[number]
	return ok
}

// find returns the grant with a number, or the one for the whole zone.
func (g *grants) find(number uint32) grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open[number]
}

// end removes a grant.
func (g *grants) end(number uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, number)
}
