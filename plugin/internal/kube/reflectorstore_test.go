package kube

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"
)

// follow runs a real reflector for Services against watches that a test resources.
// Each watch that the reflector begins comes out of the channel.
func follow(t *testing.T, wr *writer, r resource) <-chan *watch.FakeWatcher {
	t.Helper()
	return followWith(t, wr, r, func(*reflectorStore) {})
}

func followWith(t *testing.T, wr *writer, r resource, edit func(*reflectorStore)) <-chan *watch.FakeWatcher {
	t.Helper()
	watches := make(chan *watch.FakeWatcher)
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	logger := logr.Discard()
	to := newTestStore(ctx, r, wr.changes)
	edit(to)
	l := newStreamLister(to)
	lw := &cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			return nil, errors.New("streaming lists only")
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
			w := watch.NewFake()
			select {
			case watches <- w:
				return newStream(l, w, func() {}, true), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}
	reflector := cache.NewReflectorWithOptions(lw, r.newObject(), to, cache.ReflectorOptions{Logger: &logger})
	done := make(chan struct{}, 2)
	go func() { reflector.RunWithContext(ctx); done <- struct{}{} }()
	go func() { wr.run(ctx); done <- struct{}{} }()
	t.Cleanup(func() { cancel(); <-done; <-done })
	return watches
}

// newStreamLister makes a lister that has no server.
func newStreamLister(to *reflectorStore) *lister {
	c := clocktesting.NewFakeClock(time.Now())
	outages := testOutages(nopLogger{}, c)
	return &lister{
		resource: to.resource, store: to, clock: c, limits: defaultLimits, outages: outages,
		redial: func() {}, renew: func() {},
		streaming: newStreaming(outages, c), streams: newPace(c), watches: newPace(c),
	}
}

// endOfList is the bookmark that ends a streaming list.
func endOfList() *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		ResourceVersion: "10",
		Annotations:     map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}}
}

func TestStreamingList(t *testing.T) {
	leakless(t)
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources[1:])
	wr.apply(resources[1].put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	watches := follow(t, wr, resources[0])
	count := func() int { return wr.store.Load().Counts().Services }

	w := <-watches
	w.Add(serviceObject("a", "10.0.0.1"))
	w.Add(serviceObject("b", "10.0.0.2"))
	w.Add(serviceObject("gone", "10.0.0.3"))
	eventually(t, "objects before the list has ended", func() bool { return count() == 3 })
	w.Delete(serviceObject("gone", "10.0.0.3"))
	if wr.store.Load().Synced() {
		t.Error("synced before the list has ended")
	}
	w.Action(watch.Bookmark, endOfList())
	<-wr.synced
	if count() != 2 {
		t.Errorf("%d Services: the one deleted during the list has stayed", count())
	}

	w.Modify(serviceObject("a", "10.0.0.9"))
	eventually(t, "the update", func() bool { return ask(t, wr.store, "a.shop.svc.cluster.local.", typeA) == "10.0.0.9" })
	w.Add(serviceObject("c", "10.0.0.4"))
	eventually(t, "the addition", func() bool { return count() == 3 })
	w.Delete(serviceObject("c", "10.0.0.4"))
	eventually(t, "the deletion", func() bool { return count() == 2 })
}

// A relist sweeps what is not there any more, at its end and not before, and what
// has not changed makes no commit.
func TestRelist(t *testing.T) {
	leakless(t)
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources[1:])
	watches := follow(t, wr, resources[0])
	w := <-watches
	for _, name := range []string{"a", "b", "c"} {
		w.Add(serviceObject(name, "10.0.0.1"))
	}
	w.Action(watch.Bookmark, endOfList())
	<-wr.synced
	before := wr.store.Load()

	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	w.Add(serviceObject("a", "10.0.0.1"))
	w.Add(serviceObject("c", "10.0.0.1"))
	eventually(t, "all changes to be applied", func() bool { return len(wr.changes) == 0 })
	if wr.store.Load() != before {
		t.Error("a relist of the same objects has made a commit")
	}
	w.Action(watch.Bookmark, endOfList())
	eventually(t, "the sweep", func() bool { return wr.store.Load().Counts().Services == 2 })

	// The list breaks off: nothing is swept.
	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	w.Add(serviceObject("d", "10.0.0.1"))
	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	eventually(t, "the addition", func() bool { return wr.store.Load().Counts().Services == 3 })
	w.Action(watch.Bookmark, endOfList())
	eventually(t, "an empty list to sweep", func() bool { return wr.store.Load().Counts().Services == 0 })
}

// What is no object of the kind is left to the reflector, which goes on without it.
func TestStreamingListOfOtherThings(t *testing.T) {
	leakless(t)
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources[1:])
	w := <-follow(t, wr, resources[0])
	w.Add(&metav1.Status{})
	w.Add(serviceObject("a", "10.0.0.1"))
	w.Action(watch.Bookmark, endOfList())
	<-wr.synced
	if n := wr.store.Load().Counts().Services; n != 1 {
		t.Errorf("%d Services", n)
	}
}

// A watch that is stopped in the middle of a list leaves nobody behind who waits
// for a reader.
func TestStoppedStreamingList(t *testing.T) {
	leakless(t)
	_, resources, _ := newTestWriter(Config{})
	for _, event := range []watch.Event{
		{Type: watch.Added, Object: serviceObject("a", "10.0.0.1")},
		{Type: watch.Bookmark, Object: endOfList()},
		{Type: watch.Error, Object: &metav1.Status{}},
	} {
		w := watch.NewFake()
		i := newStream(newStreamLister(newTestStore(t.Context(), resources[0], make(chan change, 9))), w, func() {}, true)
		w.Action(event.Type, event.Object)
		i.Stop()
		i.Stop()
		for range i.ResultChan() { // ends
		}
	}
}

// A store whose reflector has been stopped drops what it is given.
func TestSinkStops(t *testing.T) {
	_, resources, _ := newTestWriter(Config{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newTestStore(ctx, resources[0], make(chan change))
	if err := s.Add(serviceObject("web", "10.0.0.1")); err != nil {
		t.Error(err)
	}
}
