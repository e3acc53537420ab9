package xfr

import (
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// grant is what is known of a secondary that asks for a difference. The zero grant asks
// for the whole zone.
type grant struct {
	serial uint32            // the one that it names
	before *cluster.Snapshot // the checkpoint with that serial, if we have sent it; else nil
}

// upToDate reports whether the secondary needs nothing: it has what we have, or a newer
// serial (RFC 1995 2). The same serial from another replica is no proof.
func (g grant) upToDate(serial uint32) bool {
	if g.serial == serial {
		return g.before != nil
	}
	return g.serial != 0 && newer(g.serial, serial)
}

// newer reports whether a serial comes after another (RFC 1982 3.2).
func newer(a, b uint32) bool { return int32(a-b) > 0 }

// grants are those of the questions that are being answered. Their numbers take the
// place of the serial on the way through the plugin transfer, which passes nothing else on.
type grants struct {
	mu   sync.Mutex
	last uint32
	open map[uint32]grant
}

// add returns the number of a grant, which is never 0: that asks for the whole zone.
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

// find returns the grant with a number, or that of the whole zone.
func (g *grants) find(number uint32) grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open[number]
}

// end takes a grant back.
func (g *grants) end(number uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, number)
}
