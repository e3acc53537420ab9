package kube

import (
	"testing"
	"time"
)

// The writer saves memory from the beginning of the first list to the end of the last.
func TestOwnerSavesWhileListing(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	takeSteps(t, wr, []stepSaving{
		{resources[0].put(serviceObject("a", "10.0.0.1")), false},
		{resources[0].begin(), true},
		{resources[1].begin(), true},
		{resources[0].end(), true},
		{resources[1].begin(), true}, // the one before has broken off
		{resources[1].end(), false},
	})
}

// After a list it goes on until a checkpoint no longer has what the list took the place of.
func TestSavesUntilTheCheckpoint(t *testing.T) {
	wr, resources, clock := newTestWriter(Config{})
	listAll(wr, resources) // the first checkpoint is made
	takeSteps(t, wr, []stepSaving{
		{resources[0].put(serviceObject("a", "10.0.0.1")), false}, // its checkpoint waits
		{resources[0].begin(), true},
		{resources[0].end(), true},
	})
	clock.Step(time.Second)
	<-wr.checkpoints.Due()
	wr.checkpoints.Fire()
	if wr.save(wr.spends()); wr.saving {
		t.Error("saves after the checkpoint")
	}
}

// stepSaving is a change, and whether the writer saves memory after it.
type stepSaving struct {
	change change
	saving bool
}

func takeSteps(t *testing.T, wr *writer, all []stepSaving) {
	t.Helper()
	for i, s := range all {
		wr.apply(s.change)
		wr.save(wr.spends())
		if wr.saving != s.saving {
			t.Errorf("step %d: saving is %v", i, wr.saving)
		}
	}
}
