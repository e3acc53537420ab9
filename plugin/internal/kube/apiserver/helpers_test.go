package apiserver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// recorder is a Logger that keeps its lines.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) add(level, format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, level+" "+fmt.Sprintf(format, args...))
}

func (r *recorder) Infof(format string, args ...any)    { r.add("INFO", format, args) }
func (r *recorder) Warningf(format string, args ...any) { r.add("WARNING", format, args) }
func (r *recorder) Errorf(format string, args ...any)   { r.add("ERROR", format, args) }

// all returns the lines so far.
func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := r.all(); !slices.Equal(got, want) {
		t.Errorf("log: %q\nwant %q", got, want)
	}
}

func newTestLog() (*OutageLog, *recorder, *clocktesting.FakeClock) {
	log, clock := new(recorder), clocktesting.NewFakeClock(time.Now())
	return newOutageLog(log, clock, "https://10.96.0.1:443"), log, clock
}

// testOptions are Options that log nothing.
func testOptions() Options {
	return Options{Log: new(recorder), Observe: func(Request) {}, Clock: clock.RealClock{}, Silence: time.Minute, Renewals: time.Minute}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	await.True(t, 30*time.Second, what, condition)
}

// write writes a file into a folder and returns its path.
func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
