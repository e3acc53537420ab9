package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// sink is the store of a reflector. It keeps nothing: it converts and sends on.
//
// Lists do not come through the reflector, which would gather them: the lister
// puts their objects itself, between begin and the reflector's Replace.
type sink struct {
	ctx  context.Context // of the reflector, whose interface has none
	feed *feed
	out  chan<- change

	observer Observer
	clock    clock.PassiveClock
	listed   bool // a whole list has been received
}

var _ cache.ReflectorBookmarkStore = (*sink)(nil)

// Add takes an object that is new. It comes from a watch, as those of Update and
// Delete do, and never from a list.
func (s *sink) Add(obj any) error { return s.Update(obj) }

// Update takes an object that has changed.
func (s *sink) Update(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.feed.event(o))
	return nil
}

// Delete takes an object that is gone.
func (s *sink) Delete(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.feed.drop(o))
	return nil
}

// Bookmark is told that a watch without events goes on.
func (s *sink) Bookmark(version string) error {
	s.heard()
	s.feed.barrier.done(version)
	return nil
}

// Replace takes the end of a list. There is nothing in it.
func (s *sink) Replace(_ []any, version string) error {
	s.heard()
	if s.listed {
		s.observer.Relisted(s.feed.name)
	}
	s.listed = true
	s.send(s.feed.end())
	s.feed.barrier.done(version)
	return nil
}

// Resync does nothing: there is nobody who would want to hear it all again.
func (s *sink) Resync() error { return nil }

// begin begins a list. One that was begun before and has not ended is forgotten.
func (s *sink) begin() { s.send(s.feed.begin()) }

// put takes an object of a list.
func (s *sink) put(obj metav1.Object) { s.send(s.feed.put(obj)) }

// pass sends what an event has changed, once it may be seen.
func (s *sink) pass(version string, c change) {
	s.feed.barrier.pass(s.ctx, version)
	s.send(c)
	s.feed.barrier.done(version)
}

func (s *sink) heard() { s.observer.Heard(s.feed.name, s.clock.Now()) }

func (s *sink) send(c change) {
	select {
	case s.out <- c:
	case <-s.ctx.Done():
	}
}
