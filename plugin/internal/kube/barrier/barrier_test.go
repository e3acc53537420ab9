package barrier

import (
	"sync"
	"testing"
	"time"
)

// Barriers may be closed with each other in any order, and with themselves, at once.
func TestCloseLocksInOneOrder(t *testing.T) {
	a, b := New(), New()
	a.Done("1")
	b.Done("2")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				Close(a, b)
			}
		})
		wg.Go(func() {
			for range 1000 {
				Close(b, a, a)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("they wait for each other")
	}
}
