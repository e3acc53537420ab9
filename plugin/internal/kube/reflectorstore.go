package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// reflectorStore is the store of a reflector. It keeps no object: it converts each one and
// sends the change to the writer.
//
// Lists do not pass through the reflector, which would collect them in memory: package
// listwatch puts their objects itself, between Begin and the reflector's Replace.
type reflectorStore struct {
	ctx      context.Context // ends with the reflector, whose interface has no context
	resource resource
	out      chan<- change

	outside  *outside
	observer Observer
	clock    clock.PassiveClock
	listed   bool // a whole list has been received
}

var _ listwatch.Store = (*reflectorStore)(nil)

// Add puts a new object. Add, Update and Delete receive objects from a watch, never from a
// list.
func (s *reflectorStore) Add(obj any) error { return s.Update(obj) }

// Update puts a changed object.
func (s *reflectorStore) Update(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.resource.event(o))
	return nil
}

// Delete removes an object.
func (s *reflectorStore) Delete(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.pass(o.GetResourceVersion(), s.resource.drop(o))
	return nil
}

// Bookmark records that a watch without events is alive.
func (s *reflectorStore) Bookmark(version string) error {
	s.heard()
	s.resource.about().barrier.Done(version)
	return nil
}

// Replace ends a list. The reflector passes it no objects.
func (s *reflectorStore) Replace(_ []any, version string) error {
	s.heard()
	if s.listed {
		s.observer.Relisted(s.resource.about().name)
	}
	s.listed = true
	s.send(s.resource.end())
	s.resource.about().barrier.Done(version)
	return nil
}

// Resync does nothing: the store keeps no object that it could send again.
func (s *reflectorStore) Resync() error { return nil }

// Begin begins a list.
func (s *reflectorStore) Begin() { s.send(s.resource.begin()) }

// Put puts an object of a list.
func (s *reflectorStore) Put(obj metav1.Object) { s.send(s.resource.put(obj)) }

// Drop removes an object that was deleted during its list.
func (s *reflectorStore) Drop(obj metav1.Object) { s.send(s.resource.drop(obj)) }

// Waive stops the wait for the first list.
func (s *reflectorStore) Waive() { s.send(s.resource.waive()) }

// Silent counts a watch that was closed because nothing arrived on it.
func (s *reflectorStore) Silent() { s.observer.Silent(s.resource.about().name) }

// pass sends the change of an event once its barrier lets it through.
func (s *reflectorStore) pass(version string, c change) {
	s.resource.about().barrier.Pass(s.ctx, version)
	s.send(c)
	s.resource.about().barrier.Done(version)
}

func (s *reflectorStore) heard() {
	now := s.clock.Now()
	s.outside.heard.Store(now.Unix())
	s.observer.Heard(s.resource.about().name, now)
}

func (s *reflectorStore) send(c change) {
	select {
	case s.out <- c:
	case <-s.ctx.Done():
	}
}
