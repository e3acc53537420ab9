package checkpoint

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

const testEpoch = 1700000000

// P1: a clock that is set back while the first checkpoint waits does not lower the serial.
func TestP1ClockGoesBackAfterTheStart(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(testEpoch, int64(300*time.Millisecond)))
	store, m := New(clock)
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	m.Make()
	if m.Due() == nil || store.LoadCheckpoint().Synced() {
		t.Fatal("a checkpoint within the second of the start")
	}
	m.made = m.made.Add(-time.Hour)
	m.due = nil
	store.Touch()
	m.Make()
	if got := store.LoadCheckpoint().Serial(); got != testEpoch+1 {
		t.Errorf("the serial %d, want %d", got, testEpoch+1)
	}
}
