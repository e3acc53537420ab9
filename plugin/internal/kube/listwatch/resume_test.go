package listwatch

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// followedNames is a Store that keeps the names of events.
type followedNames struct {
	heldNames
	mu        sync.Mutex
	names     map[string]bool
	bookmarks []string
}

func (f *followedNames) Add(obj any) error { return f.Update(obj) }

func (f *followedNames) Update(obj any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	f.names[o.GetName()] = true
	return nil
}

func (f *followedNames) has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.names[name]
}

func (f *followedNames) Delete(any) error            { return nil }
func (f *followedNames) Replace([]any, string) error { return nil }
func (f *followedNames) Resync() error               { return nil }

func (f *followedNames) Bookmark(version string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bookmarks = append(f.bookmarks, version)
	return nil
}

// cuttingServer is an API server whose first watches end as the test wants. Another one then
// brings the Service "late".
type cuttingServer struct {
	cut func(http.ResponseWriter)

	mu       sync.Mutex
	lists    int
	versions []string // that watches were asked to continue from
}

func (c *cuttingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	if !query.Has("watch") {
		c.list(w, query.Get("limit") != "1")
		return
	}
	if c.watches(query.Get("resourceVersion")) <= 2 {
		c.cut(w)
		return
	}
	late := serviceObject("late")
	late.TypeMeta, late.ResourceVersion = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, "8"
	sendEvent(w, watch.Added, late)
	<-r.Context().Done()
}

func (c *cuttingServer) list(w http.ResponseWriter, whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if whole {
		c.lists++
	}
	list := corev1.ServiceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"}}
	list.ResourceVersion = "7"
	_, _ = w.Write(encode(runtime.ContentTypeJSON, &list))
}

// watches records a watch and returns how many there were.
func (c *cuttingServer) watches(version string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions = append(c.versions, version)
	return len(c.versions)
}

// expect checks how many lists there were, and that each watch continued from the list.
func (c *cuttingServer) expect(t *testing.T, lists int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists != lists {
		t.Errorf("%d lists, want %d", c.lists, lists)
	}
	for _, version := range c.versions {
		if version != "7" {
			t.Errorf("watches from %q", c.versions)
		}
	}
}

func sendEvent(w http.ResponseWriter, kind watch.EventType, obj runtime.Object) {
	event := metav1.WatchEvent{Type: string(kind)}
	event.Object.Raw = encode(runtime.ContentTypeJSON, obj)
	_, _ = w.Write(encode(runtime.ContentTypeJSON, &event))
	flush(w)
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func statusObject(err *apierrors.StatusError) *metav1.Status {
	status := err.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return &status
}

func breakOff() { panic(http.ErrAbortHandler) }

// A watch that breaks off soon goes on from the version that it had: lists by the clients of
// all nodes at once would keep an API server busy that has just restarted.
func TestCutWatchGoesOn(t *testing.T) {
	broken := apierrors.NewInternalError(http.ErrBodyNotAllowed)
	for _, tc := range []struct {
		name  string
		cut   func(http.ResponseWriter)
		lists int
	}{
		{"no answer", func(http.ResponseWriter) { breakOff() }, 1},
		{"cut before an event", func(w http.ResponseWriter) { flush(w); breakOff() }, 1},
		{"ended before an event", flush, 1},
		{"cut inside an event", func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"type":"ADDED","object":{"kind":"Serv`))
			flush(w)
			breakOff()
		}, 1},
		{"not an event", func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, 1},
		{"an error of the server's", func(w http.ResponseWriter) { sendEvent(w, watch.Error, statusObject(broken)) }, 1},
		{"a starting server", func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }, 1},
		{"a proxy without a server", func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, 1},
		{"a proxy that does not wait", func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) }, 1},
		{"no such user yet", func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, 1},
		{"forgotten history", func(w http.ResponseWriter) {
			sendEvent(w, watch.Error, statusObject(apierrors.NewResourceExpired("too old")))
		}, 3},
		{"forgotten history, told at once", func(w http.ResponseWriter) { w.WriteHeader(http.StatusGone) }, 3},
		{"not allowed", func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := &cuttingServer{cut: tc.cut}
			follow(t, server)
			server.expect(t, tc.lists)
		})
	}
}

// follow follows the Services of a server until the Service "late" is there.
func follow(t *testing.T, handler http.Handler) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := testClient(t, server.URL, new(kubetest.Recorder), clock.RealClock{})
	version := corev1.SchemeGroupVersion
	services, err := client.REST(version, slimpb.Codecs(codecs, version.WithKind("Service"), slimpb.Service))
	if err != nil {
		t.Fatal(err)
	}
	to, api := &followedNames{names: map[string]bool{}}, NewServer(client, clock.RealClock{}, DefaultLimits)
	api.Plain = true
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		api.Follow(ctx, servicesKind(), []rest.Interface{services}, to)
	}()
	defer func() { cancel(); <-ended }()
	eventually(t, "the late Service", func() bool { return to.has("late") })
	if len(to.bookmarks) > 0 {
		t.Errorf("bookmarks %q, and the server has sent none", to.bookmarks)
	}
}

// If no watch ever brings anything, a list now and then is better than old answers. One line
// says so.
func TestWatchesInVain(t *testing.T) {
	s := newSilentWatches(t)
	const line = "WARNING API server https://10.96.0.1:443 has ended 20 watches of services in a row before anything arrived: " +
		"listing everything again from time to time"
	for range 2 {
		for n := range mostAttempts {
			s.attempts.count.Add(1)
			w, to := s.begin()
			w.Stop()
			event := <-to.ResultChan()
			if last := n == mostAttempts-1; (event.Type == watch.Error) != last || (event.Type == watch.Bookmark) == last {
				t.Errorf("watch %d: %v", n, event)
			}
			wantEnd(t, to)
		}
		s.log.Expect(t, line)
	}
	w, to := s.begin()
	s.send(t, w, to, watch.Added)
	s.log.Expect(t, line)
	if s.attempts.told.Load() {
		t.Error("the next trouble is not told")
	}
	to.Stop()
}

// C13: an API server that lets us list but refuses each watch is not asked for list after list. One
// line says so.
func TestC13RefusedWatches(t *testing.T) {
	s := newSilentWatches(t)
	for range mostRefusals {
		refuse(t, s)
	}
	s.log.Expect(t, "WARNING API server https://10.96.0.1:443 has ended 4 watches of services in a row before anything arrived: "+
		"listing everything again from time to time")
	waited := make(chan error)
	go func() { waited <- s.spaceOut(t.Context()) }()
	s.pass(t, 5*time.Second)
	select {
	case err := <-waited:
		t.Errorf("no wait before the next list: %v", err)
	default:
	}
	s.clock.Step(2 * longestPause)
	if err := <-waited; err != nil {
		t.Error(err)
	}

	w, to := s.begin()
	s.send(t, w, to, watch.Added)
	to.Stop()
	refuse(t, s)
	if err := s.spaceOut(t.Context()); err != nil || len(s.log.All()) != 1 {
		t.Errorf("%v, log: %q", err, s.log.All())
	}
}

// refuse refuses a watch after it has begun.
func refuse(t *testing.T, s *silentWatches) {
	t.Helper()
	w, to := s.begin()
	w.Error(statusObject(apierrors.NewResourceExpired("too old")))
	if event := <-to.ResultChan(); event.Type != watch.Error {
		t.Errorf("%v", event)
	}
	wantEnd(t, to)
	to.Stop()
}
