package listwatch

import (
	"context"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"
)

// stream is a watch on its way to a reflector. It ends a watch that has fallen
// silent: the reflector begins a new one then, from the version of the last event.
//
// Where the watch begins with a list, a reflector would gather that, with a key
// for each object, so the objects go to the store before it sees them. All it gets
// is the list's end, and what comes after that.
type stream struct {
	incoming watch.Interface
	lister   *lister
	timer    clock.Timer // runs while nothing comes
	expected bool        // bookmarks come, each minute
	result   chan watch.Event
	stop     func()
	stopped  chan struct{}
}

// newStream calls release when the watch has ended.
func newStream(l *lister, incoming watch.Interface, release context.CancelFunc, listFirst bool) *stream {
	s := &stream{
		incoming: incoming,
		lister:   l,
		timer:    l.clock.NewTimer(l.limits.Silence),
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

// ResultChan has the events for the reflector.
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
		default:
			return
		}
		if !s.pass(event) {
			return
		}
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

// list takes the objects of the list and reports whether the watch goes on behind
// it. Nothing is taken after an error: another list may have begun by then.
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
			// A reflector takes a watch without events for a server that cannot do it.
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
			return true
		}
	}
}

// take gives an object of the list to the store. It may change and go before the
// list has ended. What is no object of the kind is for the reflector to refuse.
func (s *stream) take(event watch.Event) bool {
	to := s.lister.store
	if reflect.TypeOf(event.Object) != reflect.TypeOf(s.lister.kind.NewObject()) {
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

// sign is what a wait for an event has ended with.
type sign int

const (
	came sign = iota
	ended
	stopped
	nothing // for as long as the wait may last
)

// next waits for an event, no longer than the limit. While an event is dealt with, no
// time passes.
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
	case event, ok := <-s.incoming.ResultChan(): // it came while this process was held up
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
