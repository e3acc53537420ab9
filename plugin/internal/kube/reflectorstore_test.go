package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
	"github.com/clusterdns/clusterdns/test/kit/leak"
)

// follow follows the Services of an API server whose watches the test feeds. It sends each
// new watch to the channel.
func follow(t *testing.T, wr *writer, r resource) <-chan *watch.FakeWatcher {
	t.Helper()
	return followWith(t, wr, r, func(*reflectorStore) {})
}

func followWith(t *testing.T, wr *writer, r resource, edit func(*reflectorStore)) <-chan *watch.FakeWatcher {
	t.Helper()
	watches := make(chan *watch.FakeWatcher)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveWatch(w, r, watches) }))
	t.Cleanup(api.Close)
	client := testClient(t, api.URL, clock.RealClock{})
	clients, err := newRESTClients(client, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	to := newTestStore(ctx, r, wr.changes)
	edit(to)
	var ends sync.WaitGroup
	ends.Go(func() {
		listwatch.NewServer(client, clock.RealClock{}, listwatch.DefaultLimits).Follow(ctx, listed(r), clients, to)
	})
	ends.Go(func() { wr.run(ctx) })
	t.Cleanup(func() { cancel(); ends.Wait() })
	return watches
}

// serveWatch sends the events of a new watch to a client as long as it listens.
func serveWatch(w http.ResponseWriter, r *http.Request, watches chan<- *watch.FakeWatcher) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	_ = http.NewResponseController(w).Flush()
	events := watch.NewFake()
	select {
	case watches <- events:
	case <-r.Context().Done():
		return
	}
	info, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
	encoder := codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion)
	for {
		select {
		case event := <-events.ResultChan():
			object, err := runtime.Encode(encoder, event.Object)
			if err != nil {
				panic(err)
			}
			_, _ = fmt.Fprintf(w, `{"type":%q,"object":%s}`+"\n", event.Type, object)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// endOfList returns the bookmark that ends a streaming list.
func endOfList() *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		ResourceVersion: "10",
		Annotations:     map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}}
}

func TestStreamingList(t *testing.T) {
	leak.None(t)
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

// A relist removes missing objects at its end and not before. Equal objects cause no
// commit.
func TestRelist(t *testing.T) {
	leak.None(t)
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

	// The list breaks off: it shows nothing and removes nothing.
	before = wr.store.Load()
	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	w.Add(serviceObject("d", "10.0.0.1"))
	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	eventually(t, "all changes to be applied", func() bool { return len(wr.changes) == 0 })
	if wr.store.Load() != before {
		t.Error("a list that has broken off has made a commit")
	}
	w.Action(watch.Bookmark, endOfList())
	eventually(t, "an empty list to sweep", func() bool { return wr.store.Load().Counts().Services == 0 })
}

// The reflector handles an object of another type, and continues without it.
func TestStreamingListOfOtherThings(t *testing.T) {
	leak.None(t)
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

// A store whose reflector has been stopped drops everything.
func TestSinkStops(t *testing.T) {
	_, resources, _ := newTestWriter(Config{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newTestStore(ctx, resources[0], make(chan change))
	if err := s.Add(serviceObject("web", "10.0.0.1")); err != nil {
		t.Error(err)
	}
}
