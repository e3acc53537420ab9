// Package thrift makes the garbage collector save memory while lists are read.
//
// The rule not to break: each Begin has one End.
package thrift

import (
	"os"
	"runtime/debug"
	"sync"
)

// listGCPercent is the GC percentage during a list. Nearly everything allocated then is
// garbage at once, and a memory limit must leave room for the peak of a list. At other
// times the lower percentage would cost CPU time for nothing.
const listGCPercent = 50

// tuner keeps the heap small while any Watcher of the process reads a list, and returns
// memory to the operating system after the last list. If the operator sets GOGC, it does
// not touch the percentage.
type tuner struct {
	mu     sync.Mutex
	lists  int  // number of Watchers that are reading a list
	before int  // the GC percentage before the first list
	manual bool // the operator has set GOGC
}

var process = &tuner{manual: os.Getenv("GOGC") != ""}

// Begin must be called when a Watcher begins to list.
func Begin() { process.begin() }

// End must be called when the Watcher's lists have ended, or when the Watcher itself ends.
func End() { process.end() }

func (t *tuner) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists++; t.lists > 1 {
		return
	}
	unmapProgram()
	if !t.manual {
		t.before = debug.SetGCPercent(listGCPercent)
		if t.before >= 0 && t.before < listGCPercent {
			debug.SetGCPercent(t.before)
		}
	}
}

func (t *tuner) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists--; t.lists > 0 {
		return
	}
	if !t.manual {
		debug.SetGCPercent(t.before)
	}
	debug.FreeOSMemory()
	unmapProgram()
}
