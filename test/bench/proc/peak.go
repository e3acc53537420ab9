package proc

import (
	"context"
	"sync"
	"time"
)

// anonymousPoll is short compared with the time in which a process grows.
const anonymousPoll = 5 * time.Millisecond

// PeakWatch follows the anonymous part of a process's RSS, of which the kernel keeps no
// peak. Memory pressure cannot take that part away; the rest is pages of the binary, as
// many as the page cache happens to have.
type PeakWatch struct {
	pid  int
	Stop context.CancelFunc

	mu   sync.Mutex
	peak float64
}

// WatchPeak follows the process until Stop is called or the context ends.
func WatchPeak(ctx context.Context, pid int) *PeakWatch {
	ctx, stop := context.WithCancel(ctx)
	w := &PeakWatch{pid: pid, Stop: stop}
	go w.run(ctx)
	return w
}

func (w *PeakWatch) run(ctx context.Context) {
	ticker := time.NewTicker(anonymousPoll)
	defer ticker.Stop()
	for {
		if now, err := ReadMemory(w.pid); err == nil {
			w.see(now.Anonymous)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *PeakWatch) see(anonymous float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak = max(w.peak, anonymous)
}

// Read returns the peak in bytes since the start or the last reset.
func (w *PeakWatch) Read() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.peak
}

// Reset resets the peak.
func (w *PeakWatch) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak = 0
}
