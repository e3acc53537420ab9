package kube

import (
	"runtime/debug"
	"testing"
)

// gcPercent returns the current GC percentage.
func gcPercent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

func TestThrift(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, tc := range []struct {
		name          string
		manual        bool
		usual, saving int
	}{
		{"the default", false, 100, listGCPercent},
		{"set by GOGC", true, 200, 200},
		{"set lower by the program", false, 20, 20},
		{"turned off by the program", false, -1, listGCPercent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			debug.SetGCPercent(tc.usual)
			expect := func(want int) {
				t.Helper()
				if got := gcPercent(); got != want {
					t.Errorf("%d, want %d", got, want)
				}
			}
			tuner := &gcTuner{manual: tc.manual}
			tuner.begin()
			expect(tc.saving)
			tuner.begin() // another Watcher
			tuner.end()
			expect(tc.saving)
			tuner.end()
			expect(tc.usual)
		})
	}
}

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
