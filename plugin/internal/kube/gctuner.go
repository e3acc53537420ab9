package kube

import (
	"os"
	"runtime/debug"
	"sync"
)

// listGCPercent is the GC percentage while a list is under way. Nearly all that
// is allocated then is garbage at once, and the peak of a list is what a memory
// limit has to have room for. At other times it would cost CPU time for nothing.
const listGCPercent = 50

// gcTuner keeps the heap small while there are lists, of any Watcher of the
// process, and returns memory to the system behind the last of them. An operator
// who sets GOGC is left alone.
type gcTuner struct {
	mu     sync.Mutex
	lists  int // Watchers with a list under way
	before int // the GC percentage
	manual bool
}

var processGC = &gcTuner{manual: os.Getenv("GOGC") != ""}

// begin must be called when a Watcher begins to list.
func (t *gcTuner) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists++; t.lists == 1 && !t.manual {
		t.before = debug.SetGCPercent(listGCPercent)
		if t.before >= 0 && t.before < listGCPercent {
			debug.SetGCPercent(t.before)
		}
	}
}

// end must be called when its lists have ended, or when the Watcher itself ends.
func (t *gcTuner) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists--; t.lists > 0 {
		return
	}
	if !t.manual {
		debug.SetGCPercent(t.before)
	}
	debug.FreeOSMemory()
}
