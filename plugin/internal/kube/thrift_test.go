package kube

import "testing"

// The writer saves memory from the beginning of the first list to the end of the last.
func TestOwnerSavesWhileListing(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	step := func(c change, want bool) {
		t.Helper()
		wr.apply(c)
		wr.save(wr.lists())
		if wr.listing != want {
			t.Errorf("listing: %v", wr.listing)
		}
	}
	step(resources[0].put(serviceObject("a", "10.0.0.1")), false)
	step(resources[0].begin(), true)
	step(resources[1].begin(), true)
	step(resources[0].end(), true)
	step(resources[1].begin(), true) // the one before has broken off
	step(resources[1].end(), false)
}
