package kube

import (
	"reflect"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// intake is a watch that begins with a list. A reflector would gather the list,
// with a key for each object, so the objects go to the sink before it sees them.
// All it gets is the list's end, and what comes after that.
type intake struct {
	incoming watch.Interface
	sink     *sink
	result   chan watch.Event
	stop     func()
	stopped  chan struct{}
}

func newIntake(incoming watch.Interface, to *sink) *intake {
	i := &intake{
		incoming: incoming,
		sink:     to,
		result:   make(chan watch.Event),
		stopped:  make(chan struct{}),
	}
	i.stop = sync.OnceFunc(func() {
		close(i.stopped)
		incoming.Stop()
	})
	to.begin()
	go i.run()
	return i
}

// ResultChan has the events for the reflector.
func (i *intake) ResultChan() <-chan watch.Event { return i.result }

// Stop ends the watch.
func (i *intake) Stop() { i.stop() }

func (i *intake) run() {
	defer close(i.result)
	if !i.list() {
		return
	}
	for event := range i.incoming.ResultChan() {
		if !i.pass(event) {
			return
		}
	}
}

// list takes the objects of the list and says whether the watch goes on behind
// it. Nothing is taken after an error: another list may have begun by then.
func (i *intake) list() bool {
	alive := false
	for event := range i.incoming.ResultChan() {
		switch {
		case event.Type == watch.Error:
			i.pass(event)
			return false
		case i.take(event):
			// A reflector takes a watch without events for a server that cannot do it.
			if alive {
				continue
			}
			alive, event.Type = true, watch.Bookmark
		}
		if !i.pass(event) {
			return false
		}
		if endsList(event) {
			return true
		}
	}
	return false
}

// take gives an object of the list to the sink. It may change and go before the
// list has ended. What is no object of the kind is for the reflector to refuse.
func (i *intake) take(event watch.Event) bool {
	if reflect.TypeOf(event.Object) != reflect.TypeOf(i.sink.feed.empty()) {
		return false
	}
	obj := event.Object.(metav1.Object)
	switch event.Type {
	case watch.Added, watch.Modified:
		i.sink.put(obj)
	case watch.Deleted:
		i.sink.send(i.sink.feed.drop(obj))
	default:
		return false
	}
	return true
}

func endsList(event watch.Event) bool {
	obj, ok := event.Object.(metav1.Object)
	return ok && event.Type == watch.Bookmark && obj.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
}

func (i *intake) pass(event watch.Event) bool {
	select {
	case i.result <- event:
		return true
	case <-i.stopped:
		return false
	}
}
