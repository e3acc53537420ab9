package thrift

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
		name                     string
		manual                   bool
		usual, saving, restoring int
	}{
		{"the default", false, 100, listGCPercent, restoreGCPercent},
		{"set by GOGC", true, 200, 200, 200},
		{"set lower by the program", false, 20, 20, restoreGCPercent},
		{"turned off by the program", false, -1, listGCPercent, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			debug.SetGCPercent(tc.usual)
			expect := func(want int) {
				t.Helper()
				if got := gcPercent(); got != want {
					t.Errorf("%d, want %d", got, want)
				}
			}
			tuner := &tuner{manual: tc.manual}
			tuner.begin()
			expect(tc.saving)
			tuner.begin() // another Watcher
			tuner.end()
			expect(tc.saving)
			tuner.end()
			expect(tc.usual)
			restored := tuner.restore()
			expect(tc.restoring)
			tuner.begin() // the API server is asked before clients are answered
			expect(tc.saving)
			tuner.end()
			expect(tc.restoring)
			restored()
			restored()
			expect(tc.usual)
		})
	}
}
