package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// reflectorStore is the store of a reflector. It keeps nothing: it converts and sends on.
//
// Lists do not come through the reflector, which would gather them: package listwatch
// puts their objects itself, between Begin and the reflector's Replace.
type reflectorStore struct {
	ctx      context.Context // of the reflector, whose interface has none
	resource resource
	out      chan<- change

	observer Observer
	clock    clock.PassiveClock
	listed   bool // a whole list has been received
}

var _ listwatch.Store = (*reflectorStore)(nil)

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

// Begin begins a list.
func (s *reflectorStore) Begin() { s.send(s.resource.begin()) }

// Put takes an object of a list.
func (s *reflectorStore) Put(obj metav1.Object) { s.send(s.resource.put(obj)) }

// Drop takes an object that is gone while its list is under way.
func (s *reflectorStore) Drop(obj metav1.Object) { s.send(s.resource.drop(obj)) }

// Waive gives up waiting for the first list.
func (s *reflectorStore) Waive() { s.send(s.resource.waive()) }

// Silent counts a watch that was given up because nothing came.
func (s *reflectorStore) Silent() { s.observer.Silent(s.resource.about().name) }

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
