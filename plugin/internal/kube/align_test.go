package kube

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// aligned is a Watcher of Services alone. A test feeds its store.
type aligned struct {
	*Watcher
	store *reflectorStore
}

func newAligned(ctx context.Context, version string) *aligned {
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources)
	wr.resources = resources[:1]
	go wr.run(ctx)
	h := &aligned{&Watcher{writer: wr}, newTestStore(ctx, resources[0], wr.changes)}
	resources[0].about().barrier.Done(version)
	return h
}

// hear passes it the event that a Service was added.
func (h *aligned) hear(name, version string) {
	service := serviceObject(name, "10.0.0.1")
	service.ResourceVersion = version
	_ = h.store.Update(service) // never fails for an object
}

// services returns the number of visible Services.
func (h *aligned) services() int { return h.Store().Load().Counts().Services }

// Watchers that are behind advance to the furthest one's version, and no further until all
// are resumed.
func TestAlignHoldsAllLevel(t *testing.T) {
	for title, behind := range map[string][]int{
		"the new one is behind":       {0},
		"an old one is behind":        {1},
		"the old ones are behind":     {1, 2},
		"all but an old one are":      {0, 1},
		"all but another old one are": {0, 2},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testHoldsAllLevel(t, behind) })
		})
	}
}

func testHoldsAllLevel(t *testing.T, behind []int) {
	ctx, cancel := context.WithCancel(t.Context())
	all := []*aligned{newAligned(ctx, "10"), newAligned(ctx, "10"), newAligned(ctx, "10")}
	var later []func() // what comes to those that are not behind once they are held
	for i, h := range all {
		if slices.Contains(behind, i) {
			time.AfterFunc(followUp/2, func() {
				h.hear("a", "11")
				h.hear("b", "12")
			})
			continue
		}
		h.hear("a", "11")
		later = append(later, func() { h.hear("b", "12") })
	}
	resume := Align(ctx, all[0].Watcher, all[1].Watcher, all[2].Watcher)
	for _, hear := range later {
		go hear()
	}
	synctest.Wait()
	wantServices(t, all, 1) // what all have shown
	resume()
	synctest.Wait()
	wantServices(t, all, 2)
	cancel()
	synctest.Wait()
}

func wantServices(t *testing.T, all []*aligned, want int) {
	t.Helper()
	for i, h := range all {
		if n := h.services(); n != want {
			t.Errorf("watcher %d shows %d Services, want %d", i, n, want)
		}
	}
}

// A Watcher whose versions cannot be compared does not hold up the others.
func TestAlignOfWhatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		to, odd, from := newAligned(ctx, "10"), newAligned(ctx, "x"), newAligned(ctx, "10")
		resume := Align(ctx, to.Watcher, odd.Watcher, from.Watcher)
		for _, h := range []*aligned{to, odd, from} {
			go h.hear("a", "11")
		}
		synctest.Wait()
		wantServices(t, []*aligned{to, from}, 0)
		wantServices(t, []*aligned{odd}, 1)
		resume()
		synctest.Wait()
		wantServices(t, []*aligned{to, odd, from}, 1)
		cancel()
		synctest.Wait()
	})
}

// Align waits for a bounded time for a Watcher that never reaches the other's version, as
// after a restored backup.
func TestAlignEnds(t *testing.T) {
	for title, version := range map[string]string{"set back": "5", "not to be compared": "x"} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				from, to := newAligned(ctx, "10"), newAligned(ctx, version)
				begun := time.Now()
				Align(ctx, to.Watcher, from.Watcher)()
				if took := time.Since(begun); took > catchUp+followUp {
					t.Errorf("it took %s", took)
				}
				to.hear("a", "6")
				synctest.Wait()
				if to.services() != 1 {
					t.Error("the new watcher does not go on")
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}
