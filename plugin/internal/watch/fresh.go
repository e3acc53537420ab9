package watch

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/thrift"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
)

// wait returns how long a start waits for the API server before it uses the file, and the file if it
// is used at once. A fresh file means that the server before this one has just ended, so that clients
// wait for answers. Any other is read again after the wait, and not kept in memory beside the lists.
func (k *keeper) wait(now time.Time) (long time.Duration, f *state.File) {
	f, err := state.Open(k.Path)
	if err != nil || !isFresh(f.Header.Heard, now, bootTime(), k.fresh) {
		return k.grace, nil
	}
	if k.publish != "" && !k.hasNames(f) {
		return k.grace, nil // names that the file lacks would be refused
	}
	return 0, f
}

// hold returns the options' Begin of a watcher that asks its API server once begin is called, or after as
// long as a start waits for it. A start with a fresh file has the processor for itself until it serves:
// the lists take more of it than all the rest, and clients wait for answers.
func (r *Registry) hold() (held <-chan struct{}, begin func()) {
	c, restored := make(chan struct{}), thrift.Restore()
	begin = sync.OnceFunc(func() {
		restored()
		close(c)
	})
	time.AfterFunc(r.times.grace, begin)
	return c, begin
}

// isFresh reports whether a state that was true at heard is at most so old. The age of one from
// before the machine's start, or from the future, is not known: the clock may have been set since.
func isFresh(heard int64, now time.Time, boot int64, most time.Duration) bool {
	return heard >= boot && heard <= now.Unix() && now.Sub(time.Unix(heard, 0)) <= most
}

// bootTime returns the unix time of the machine's start by its clock of today (proc_stat(5)). Where
// that is not known, it returns a time that never comes.
func bootTime() int64 {
	stat, _ := os.ReadFile("/proc/stat")
	_, rest, _ := bytes.Cut(stat, []byte("\nbtime "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	boot, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return boot
}
