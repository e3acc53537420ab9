package completion

import (
	"context"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

const (
	// maxOutside is the largest number of names outside the cluster that are looked up to
	// complete one question, each for A and for AAAA. Resolvers that accept only six
	// suffixes (glibc before 2.26, kubelet before 1.26) have as many: three of the node,
	// after three of the cluster, and the name as it is.
	maxOutside = 4
	// maxUnclear is the largest number of names of the cluster that are looked up in the
	// whole server.
	maxUnclear = 4
	// patience is the time after which no further name is looked up. A look-up that has
	// begun may take two seconds more, as long as the plugin forward waits for a reply. The
	// client has its answer before it asks again: glibc and Go wait for five seconds.
	patience = time.Second
)

// budget is how much the search for one question may still look up in the rest of the
// server.
type budget struct {
	outside, unclear int
	end              time.Time
}

func newBudget() budget {
	return budget{outside: maxOutside, unclear: maxUnclear, end: time.Now().Add(patience)}
}

// take spends one look-up on a name with a status. It reports false if the budget is used
// up.
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
