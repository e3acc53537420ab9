package listwatch

import (
	"context"
	"reflect"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
)

// stream is a watch on its way to a reflector. It ends a watch that has fallen silent; then
// the reflector begins a new one from the version of the last event.
//
// If the watch begins with a list, a reflector would collect that with a key for each
// object. So the objects go to the store instead, and the reflector gets only the end of
// the list and the events after it.
type stream struct {
	incoming watch.Interface
	lister   *lister
	object   reflect.Type // of the objects of the kind
	timer    clock.Timer  // runs while waiting for an event
	expected bool         // bookmarks are expected, every minute
	version  string       // the version to continue from, until something newer was passed on
	begun    time.Time
	result   chan watch.Event
	stop     func()
	stopped  chan struct{}
}

// newStream starts a stream. It calls release when the watch has ended.
func newStream(l *lister, incoming watch.Interface, release context.CancelFunc, options metav1.ListOptions) *stream {
	listFirst := options.SendInitialEvents != nil
	s := &stream{
		incoming: incoming,
		lister:   l,
		object:   reflect.TypeOf(l.kind.NewObject()),
		timer:    l.clock.NewTimer(l.limits.Silence),
		version:  options.ResourceVersion,
		begun:    l.clock.Now(),
		result:   make(chan watch.Event),
		stopped:  make(chan struct{}),
	}
	s.timer.Stop()
	s.stop = sync.OnceFunc(func() {
		close(s.stopped)
		incoming.Stop()
	})
	if listFirst {
		l.store.Begin()
	}
	go func() {
		defer release()
		s.run(listFirst)
	}()
	return s
}

// ResultChan returns the channel of events for the reflector.
func (s *stream) ResultChan() <-chan watch.Event { return s.result }

// Stop ends the watch.
func (s *stream) Stop() { s.stop() }

func (s *stream) run(listFirst bool) {
	defer close(s.result)
	if listFirst && !s.list() {
		return
	}
	for {
		limit := s.limit()
		event, sign := s.next(limit)
		switch sign {
		case came:
			s.expected = s.lister.bookmarks.expect(event.Type) || s.expected
		case nothing:
			s.stop()
			s.giveUp(limit)
			return
		case ended:
			s.end()
			return
		default:
			return
		}
		if event.Type == watch.Error {
			s.broken(event)
			return
		}
		s.lister.attempts.bring()
		if !s.pass(event) {
			return
		}
		s.version = ""
	}
}

// broken must be called for a watch that ends with an error.
func (s *stream) broken(event watch.Event) {
	l := s.lister
	if l.goesOn(apierrors.FromObject(event.Object)) {
		s.end()
		return
	}
	if s.version != "" && l.clock.Since(s.begun) < shortWatch {
		l.turnedAway()
	} else {
		l.attempts.bring()
	}
	s.pass(event)
}

// end must be called for a watch that has ended or broken off. If it has brought nothing, it
// passes on the version that the watch began with: a reflector lists everything again after
// a watch of less than a second without an event.
func (s *stream) end() {
	l := s.lister
	if l.clock.Since(s.begun) >= shortWatch {
		l.attempts.bring()
	}
	switch {
	case s.version == "":
	case l.inVain():
		s.pass(watch.Event{Type: watch.Error, Object: &apierrors.NewResourceExpired("no watch brings anything").ErrStatus})
	default:
		at := l.kind.NewObject()
		at.(metav1.Object).SetResourceVersion(s.version)
		l.repeated.Store(s.version)
		s.pass(watch.Event{Type: watch.Bookmark, Object: at})
	}
}

// limit returns how long the watch may be silent.
func (s *stream) limit() time.Duration {
	if s.expected {
		return s.lister.limits.Silence
	}
	return s.lister.bookmarks.limit(s.lister.limits.Silence)
}

func (s *stream) giveUp(limit time.Duration) {
	if s.expected {
		s.lister.silent(limit)
	} else {
		s.lister.broughtNothing()
	}
}

// list puts the objects of the list and reports whether the watch continues after it. It
// puts nothing after an error, because another list may have begun by then.
func (s *stream) list() bool {
	l := s.lister
	alive, until := false, l.clock.Now().Add(l.limits.Stream)
	for {
		event, sign := s.next(max(0, min(l.limits.Stall, until.Sub(l.clock.Now()))))
		switch {
		case sign == stopped:
			return false
		case sign != came:
			s.stop()
			l.streaming.breaksOff(l.kind.Logged)
			return false
		case event.Type == watch.Error:
			l.streaming.breaksOff(l.kind.Logged)
			s.pass(event)
			return false
		case s.take(event):
			// A reflector treats a watch without events as one that the server does not
			// support.
			if alive {
				continue
			}
			alive, event.Type = true, watch.Bookmark
		}
		if !s.pass(event) {
			return false
		}
		if endsList(event) {
			l.streaming.complete(l.kind.Logged)
			s.version = event.Object.(metav1.Object).GetResourceVersion()
			return true
		}
	}
}

// take passes an object of the list to the store, and reports whether it did. The object
// may change or be deleted before the list ends. An object of another type is for the
// reflector to refuse.
func (s *stream) take(event watch.Event) bool {
	to := s.lister.store
	if reflect.TypeOf(event.Object) != s.object {
		return false
	}
	obj := event.Object.(metav1.Object)
	switch event.Type {
	case watch.Added, watch.Modified:
		to.Put(obj)
	case watch.Deleted:
		to.Drop(obj)
	default:
		return false
	}
	return true
}

func endsList(event watch.Event) bool {
	obj, ok := event.Object.(metav1.Object)
	return ok && event.Type == watch.Bookmark && obj.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
}

func (s *stream) pass(event watch.Event) bool {
	select {
	case s.result <- event:
		return true
	case <-s.stopped:
		return false
	}
}

// sign is the reason why a wait for an event ended.
type sign int

const (
	came sign = iota
	ended
	stopped
	nothing // the time was up
)

// next waits for an event, but no longer than limit. The time spent on handling events does
// not count.
func (s *stream) next(limit time.Duration) (event watch.Event, got sign) {
	s.timer.Reset(limit)
	defer s.timer.Stop()
	select {
	case event, ok := <-s.incoming.ResultChan():
		return s.heard(event, ok)
	case <-s.stopped:
		return event, stopped
	case <-s.timer.C():
	}
	select {
	case event, ok := <-s.incoming.ResultChan(): // it arrived while this process was paused
		return s.heard(event, ok)
	default:
		return event, nothing
	}
}

func (s *stream) heard(event watch.Event, ok bool) (watch.Event, sign) {
	if !ok {
		return event, ended
	}
	if event.Type != watch.Error {
		s.lister.outages.Heard(s.lister.kind.Logged)
	}
	return event, came
}
