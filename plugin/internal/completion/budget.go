package completion

import (
	"context"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

const (
	// maxOutside is the largest number of names outside the cluster that are asked for to
	// complete one question, each for A and for AAAA. A resolver that takes six suffixes has
	// as many (glibc before 2.26, kubelet before 1.26): three of the node, behind three of the
	// cluster, and the name as it is.
	maxOutside = 4
	// maxUnclear is the largest number of names of the cluster that the whole server is asked
	// for.
	maxUnclear = 4
	// patience is the time after which no further name is asked for. A look-up that has begun
	// may take two seconds more, the time that the plugin forward waits for a reply. The client
	// has its answer before it asks again: glibc and Go wait for five seconds.
	patience = time.Second
)

// budget is what the search for one question may still ask the rest of the server for.
type budget struct {
	outside, unclear int
	end              time.Time
}

func newBudget() budget {
	return budget{outside: maxOutside, unclear: maxUnclear, end: time.Now().Add(patience)}
}

// take takes a name of a status out of the budget. It reports false if the budget has no more.
func (b *budget) take(s searchpath.Status) bool {
	left := &b.outside
	switch s {
	case searchpath.Present:
		return true // the snapshot has it
	case searchpath.Unclear:
		left = &b.unclear
	}
	if *left == 0 || b.over() {
		return false
	}
	*left--
	return true
}

func (b *budget) over() bool { return !time.Now().Before(b.end) }

// context returns a context that ends with the budget's time.
func (b *budget) context(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(parent, b.end)
}
