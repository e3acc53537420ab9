package kube

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// handed is a Watcher of Services alone, with a sink that a test feeds.
type handed struct {
	*Watcher
	sink *sink
}

func newHanded(ctx context.Context, version string) *handed {
	o, feeds, _ := newTestOwner(Config{})
	listAll(o, feeds)
	o.feeds = feeds[:1]
	go o.run(ctx)
	h := &handed{&Watcher{owner: o}, newTestSink(ctx, feeds[0], o.changes)}
	feeds[0].barrier.done(version)
	return h
}

// hear is an event that a Service has come.
func (h *handed) hear(name, version string) {
	service := serviceObject(name, "10.0.0.1")
	service.ResourceVersion = version
	_ = h.sink.Update(service) // never fails for an object
}

// services is how many are visible.
func (h *handed) services() int { return h.Store().Load().Counts().Services }

// Whichever of both is behind comes to where the other is, and no further, until
// both go on.
func TestHandOverHoldsBothLevel(t *testing.T) {
	for title, behind := range map[string]int{"the new one is behind": 1, "the old one is behind": 0} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				both := [2]*handed{newHanded(ctx, "10"), newHanded(ctx, "10")}
				late, early := both[behind], both[1-behind]
				early.hear("a", "11")
				go func() {
					time.Sleep(followUp / 2)
					late.hear("a", "11")
					late.hear("b", "12")
				}()
				resume := HandOver(ctx, both[0].Watcher, both[1].Watcher)
				go early.hear("b", "12")
				synctest.Wait()
				for i, h := range both {
					if n := h.services(); n != 1 {
						t.Errorf("watcher %d shows %d Services, want the one that both have shown", i, n)
					}
				}
				resume()
				synctest.Wait()
				if late.services() != 2 || early.services() != 2 {
					t.Error("a watcher does not go on")
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

// What never comes to the version of the other, such as an API server that was set
// back, is waited for no longer than a while.
func TestHandOverEnds(t *testing.T) {
	for title, version := range map[string]string{"set back": "5", "not to be compared": "x"} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				from, to := newHanded(ctx, "10"), newHanded(ctx, version)
				begun := time.Now()
				HandOver(ctx, from.Watcher, to.Watcher)()
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
