// Package cost bounds what a function costs, without a clock: by what it allocates, or with an input so large that any way
// but the right one would take minutes.
package cost

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// Octets returns the least number of octets that a run allocates: other goroutines may allocate too.
func Octets(runs int, run func()) uint64 {
	least := uint64(math.MaxUint64)
	for range runs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// Allocations returns the least number of allocations of a run: under the race detector a sync.Pool drops some of its
// memory at random.
func Allocations(runs int, run func()) float64 {
	least := math.Inf(1)
	for range runs {
		least = min(least, testing.AllocsPerRun(1, run))
	}
	return least
}

// Same ends a test in failure if a run on a large input makes more allocations than one on a small input: allocations show
// how much of the input is looked at.
func Same(t testing.TB, what string, small, large func()) {
	t.Helper()
	const runs, noise = 20, 5
	if a, b := testing.AllocsPerRun(runs, small), testing.AllocsPerRun(runs, large); b > a*1.2+noise {
		t.Errorf("%s: %v allocations on the large input, %v on the small one", what, b, a)
	}
}

// patience is how long a run may take that needs milliseconds, on a machine that does other things.
const patience = time.Minute

// Ends ends a test in failure if a run does not end. The input must be so large that the way to be excluded takes many
// minutes, and the right one milliseconds.
func Ends(t testing.TB, what string, run func()) {
	t.Helper()
	await.End(t, patience, what, run)
}
