package listwatch

import (
	"testing"
	"time"

	"k8s.io/utils/clock"
)

// However long the API server was away, the next request comes soon, but not at once.
func TestBackoffIsBounded(t *testing.T) {
	next := backoff.DelayWithReset(clock.RealClock{}, time.Hour)
	for i := range 1000 {
		wait := next()
		if wait > longestBackoff {
			t.Fatalf("wait %d takes %s", i, wait)
		}
		if wait < backoff.Duration {
			t.Fatalf("wait %d takes but %s", i, wait)
		}
	}
}
