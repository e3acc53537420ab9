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

// thrift keeps the heap small while there are lists, of any Watcher of the
// process, and returns memory to the system behind the last of them. An operator
// who sets GOGC is left alone.
type thrift struct {
	mu     sync.Mutex
	lists  int // Watchers with a list under way
	before int // the GC percentage
	manual bool
}

var processThrift = &thrift{manual: os.Getenv("GOGC") != ""}

// begin is told of a Watcher that begins to list.
func (t *thrift) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists++; t.lists == 1 && !t.manual {
		t.before = debug.SetGCPercent(listGCPercent)
		if t.before >= 0 && t.before < listGCPercent {
			debug.SetGCPercent(t.before)
		}
	}
}

// end is told of a Watcher whose lists have ended, or which ends itself.
func (t *thrift) end() {
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
