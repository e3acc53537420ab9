// Package thrift makes the garbage collector save memory while lists are read, and processor time while
// a server starts from what it has in a file.
//
// The rule not to break: each Begin has one End.
package thrift

import (
	"os"
	"runtime/debug"
	"sync"
)

const (
	// listGCPercent is the GC percentage during a list. Nearly everything allocated then is
	// garbage at once, and a memory limit must leave room for the peak of a list. At other
	// times the lower percentage would cost CPU time for nothing.
	listGCPercent = 50
	// restoreGCPercent lets a heap of 12 MB at least pass without a collection: in a start from a file most of
	// what is allocated stays. Lists take as much later.
	restoreGCPercent = 300
)

// tuner keeps the heap small while any Watcher of the process reads a list, and returns
// memory to the operating system after the last list. If the operator sets GOGC, it does
// not touch the percentage.
type tuner struct {
	mu       sync.Mutex
	lists    int  // number of Watchers that are reading a list
	restores int  // number of files that are being restored
	usual    int  // the GC percentage when there are neither
	manual   bool // the operator has set GOGC
}

var process = &tuner{manual: os.Getenv("GOGC") != ""}

// Begin must be called when a Watcher begins to list.
func Begin() { process.begin() }

// End must be called when the Watcher's lists have ended, or when the Watcher itself ends.
func End() { process.end() }

// Restore must be called before a file is restored, and end when clients are answered from it, or not.
func Restore() (end func()) { return process.restore() }

func (t *tuner) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists == 0 {
		unmapProgram()
	}
	t.change(&t.lists, 1)
}

func (t *tuner) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.change(&t.lists, -1); t.lists == 0 {
		debug.FreeOSMemory()
		unmapProgram()
	}
}

func (t *tuner) restore() (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unmapProgram() // else it would be in memory beside what the file takes
	t.change(&t.restores, 1)
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.change(&t.restores, -1)
	})
}

// change adds to one of the numbers, and sets the percentage that results. The caller must hold the mutex.
func (t *tuner) change(number *int, by int) {
	if t.lists == 0 && t.restores == 0 && !t.manual {
		t.usual = debug.SetGCPercent(restoreGCPercent) // which starts no collection meanwhile
	}
	if *number += by; !t.manual {
		debug.SetGCPercent(t.percent())
	}
}

func (t *tuner) percent() int {
	switch {
	case t.lists > 0 && (t.usual < 0 || t.usual > listGCPercent):
		return listGCPercent
	case t.lists == 0 && t.restores > 0 && t.usual >= 0 && t.usual < restoreGCPercent:
		return restoreGCPercent
	}
	return t.usual
}
