package main

import (
	"context"
	"sync"
	"time"
)

// anonymousPoll is short against the time in which a process grows.
const anonymousPoll = 5 * time.Millisecond

// peakWatch follows the anonymous part of a process's RSS, of which the kernel
// keeps no peak. It is the part that no memory pressure can take away; the rest
// is pages of the binary, as many as the page cache happens to offer.
type peakWatch struct {
	pid  int
	stop context.CancelFunc

	mu   sync.Mutex
	peak float64
}

func watchPeak(ctx context.Context, pid int) *peakWatch {
	ctx, stop := context.WithCancel(ctx)
	w := &peakWatch{pid: pid, stop: stop}
	go w.run(ctx)
	return w
}

func (w *peakWatch) run(ctx context.Context) {
	ticker := time.NewTicker(anonymousPoll)
	defer ticker.Stop()
	for {
		if now, err := readMemory(w.pid); err == nil {
			w.see(now.anonymous)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *peakWatch) see(anonymous float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak = max(w.peak, anonymous)
}

// read returns the peak in bytes since the start or the last reset.
func (w *peakWatch) read() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.peak
}

func (w *peakWatch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak = 0
}
