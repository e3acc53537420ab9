package listwatch

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/clusterdns/clusterdns/test/kit/leak"
)

// A watch that is stopped in the middle of a list leaves no goroutine that waits for a
// reader.
func TestStoppedStreamingList(t *testing.T) {
	leak.None(t)
	for _, event := range []watch.Event{
		{Type: watch.Added, Object: serviceObject("a")},
		{Type: watch.Bookmark, Object: endOfList()},
		{Type: watch.Error, Object: &metav1.Status{}},
	} {
		w := watch.NewFake()
		l, _, _, _ := newStreamLister(t)
		i := newStream(l, w, func() {}, streamed)
		w.Action(event.Type, event.Object)
		i.Stop()
		i.Stop()
		for range i.ResultChan() { // ends
		}
	}
}

// What the stream itself allocates for an object of a list is garbage at once, tens of thousands of times.
func TestStreamAllocatesNothingForAnObject(t *testing.T) {
	l, _, _, _ := newStreamLister(t)
	l.store.Begin()
	s := &stream{lister: l, object: reflect.TypeOf(l.kind.NewObject())}
	event := watch.Event{Type: watch.Added, Object: serviceObject("a")}
	if n := testing.AllocsPerRun(100, func() { s.take(event) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
