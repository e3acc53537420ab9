package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

// reflectorStore is the store of a reflector. It keeps nothing: it converts and sends on.
//
// Lists do not come through the reflector, which would gather them: the lister
// puts their objects itself, between begin and the reflector's Replace.
type reflectorStore struct {
	ctx      context.Context // of the reflector, whose interface has none
	resource resource
	out      chan<- change

	observer Observer
	clock    clock.PassiveClock
	listed   bool // a whole list has been received
}

var _ cache.ReflectorBookmarkStore = (*reflectorStore)(nil)

// Add takes an object that is new. It comes from a watch, as those of Update and
// Delete do, and never from a list.
func (s *reflectorStore) Add(obj any) error { return s.Update(obj) }

// Update takes an object that has changed.
func (s *reflectorStore) Update(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.resource.event(o))
	return nil
}

// Delete takes an object that is gone.
func (s *reflectorStore) Delete(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.resource.drop(o))
	return nil
}

// Bookmark notes that a watch without events goes on.
func (s *reflectorStore) Bookmark(version string) error {
	s.heard()
	s.resource.about().barrier.done(version)
	return nil
}

// Replace takes the end of a list. There is nothing in it.
func (s *reflectorStore) Replace(_ []any, version string) error {
	s.heard()
	if s.listed {
		s.observer.Relisted(s.resource.about().name)
	}
	s.listed = true
	s.send(s.resource.end())
	s.resource.about().barrier.done(version)
	return nil
}

// Resync does nothing: no object is kept here that could be sent again.
func (s *reflectorStore) Resync() error { return nil }

// begin begins a list. One that was begun before and has not ended is forgotten.
func (s *reflectorStore) begin() { s.send(s.resource.begin()) }

// put takes an object of a list.
func (s *reflectorStore) put(obj metav1.Object) { s.send(s.resource.put(obj)) }

// pass sends what an event has changed, once it may be seen.
func (s *reflectorStore) pass(version string, c change) {
	s.resource.about().barrier.pass(s.ctx, version)
	s.send(c)
	s.resource.about().barrier.done(version)
}

func (s *reflectorStore) heard() { s.observer.Heard(s.resource.about().name, s.clock.Now()) }

func (s *reflectorStore) send(c change) {
	select {
	case s.out <- c:
	case <-s.ctx.Done():
	}
}
