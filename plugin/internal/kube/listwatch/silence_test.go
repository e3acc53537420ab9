package listwatch

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/test/kit/leak"
)

// silentWatches is a lister whose watches the test feeds.
type silentWatches struct {
	*lister
	log   *kubetest.Recorder
	seen  *heldNames
	clock *clocktesting.FakeClock
	anew  int // how often new connections were made
}

func newSilentWatches(t *testing.T) *silentWatches {
	t.Helper()
	leak.None(t)
	s := new(silentWatches)
	s.lister, s.seen, s.log, s.clock = newStreamLister(t)
	s.renew = func() { s.anew++ }
	return s
}

// begin begins a watch that continues from a list.
func (s *silentWatches) begin() (*watch.FakeWatcher, *stream) {
	w := watch.NewFakeWithChanSize(1, false)
	return w, newStream(s.lister, w, func() {}, metav1.ListOptions{ResourceVersion: "10"})
}

// send sends an event through a watch.
func (s *silentWatches) send(t *testing.T, w *watch.FakeWatcher, to *stream, kind watch.EventType) {
	t.Helper()
	w.Action(kind, &corev1.Service{})
	if event := <-to.ResultChan(); event.Type != kind {
		t.Fatalf("%s, want %s", event.Type, kind)
	}
}

// pass advances the clock for a watch that waits.
func (s *silentWatches) pass(t *testing.T, d time.Duration) {
	t.Helper()
	eventually(t, "the watch to wait", s.clock.HasWaiters)
	s.clock.Step(d)
}

// alive reports whether a watch goes on.
func alive(s *stream) bool {
	select {
	case <-s.stopped:
		return false
	default:
		return true
	}
}

func wantEnd(t *testing.T, s *stream) {
	t.Helper()
	for range s.ResultChan() {
		t.Error("an event")
	}
}

const (
	silentLine = "WARNING API server https://10.96.0.1:443 has sent nothing on the watch of services for 1m30s, " +
		"not even the requested bookmark: starting a new watch over a new connection"
	againLine   = "INFO API server https://10.96.0.1:443 sends events again"
	nothingLine = "WARNING API server https://10.96.0.1:443 has sent nothing on two watches of services in a row, for 1m30s each, " +
		"not even the requested bookmarks: either it never sends bookmarks or the connection is dead; starting a new watch from time to time"
)

// C1: a watch that misses a bookmark is closed with its connection, and logged once,
// however long the API server is silent.
func TestC1SilentWatch(t *testing.T) {
	s := newSilentWatches(t)
	w, to := s.begin()
	s.send(t, w, to, watch.Bookmark)
	for range 3 {
		s.pass(t, 65*time.Second) // later than a bookmark comes
		if !alive(to) {
			t.Fatal("given up too early")
		}
		s.send(t, w, to, watch.Bookmark)
	}
	s.log.Expect(t)
	s.pass(t, 90*time.Second)
	wantEnd(t, to)
	s.log.Expect(t, silentLine)
	if s.anew != 1 || s.seen.silent != 1 || !w.IsStopped() {
		t.Errorf("%d new connections, told %d", s.anew, s.seen.silent)
	}
	w, to = s.begin() // the new connection brings what was missed
	s.send(t, w, to, watch.Modified)
	s.log.Expect(t, silentLine, againLine)
	s.pass(t, 90*time.Second) // and then the bookmarks
	wantEnd(t, to)
	s.log.Expect(t, silentLine, againLine, silentLine)
}

// C1: a watch that has brought nothing at all is begun anew, and the second
// in a row is a line. There is one of those for ever.
func TestC1WatchThatBringsNothing(t *testing.T) {
	s := newSilentWatches(t)
	for i, limit := range []time.Duration{90 * time.Second, 90 * time.Second, 3 * time.Minute, 3 * time.Minute} {
		_, to := s.begin()
		s.pass(t, limit-1)
		if !alive(to) {
			t.Fatalf("watch %d is given up too early", i)
		}
		s.pass(t, 1)
		wantEnd(t, to)
		if i == 0 {
			s.log.Expect(t)
		} else {
			s.log.Expect(t, nothingLine)
		}
	}
	if s.anew != 0 || s.seen.silent != 1 {
		t.Errorf("%d new connections, told %d", s.anew, s.seen.silent)
	}
}

// C1: an API server that sends no bookmarks, or none before the first event of a kind, is
// not in trouble, however long and often nothing happens.
func TestC1ServerWithoutBookmarks(t *testing.T) {
	s := newSilentWatches(t)
	for range 50 {
		w, to := s.begin()
		s.send(t, w, to, watch.Added)
		s.pass(t, 3*time.Minute)
		wantEnd(t, to)
	}
	s.log.Expect(t, nothingLine)
	// Bookmarks come after events only, as if etcd sends no progress notifications.
	for range 50 {
		w, to := s.begin()
		s.send(t, w, to, watch.Added)
		s.send(t, w, to, watch.Bookmark)
		to.Stop()
		wantEnd(t, to)
		_, to = s.begin()
		s.pass(t, 90*time.Second)
		wantEnd(t, to)
	}
	s.log.Expect(t, nothingLine)
	if s.anew != 0 {
		t.Errorf("%d new connections", s.anew)
	}
}

// C1: the events of a list do not show whether bookmarks will come.
func TestC1ListIsNoSignOfLife(t *testing.T) {
	s := newSilentWatches(t)
	w := watch.NewFakeWithChanSize(3, false)
	to := newStream(s.lister, w, func() {}, streamed)
	w.Add(serviceObject("a"))
	w.Action(watch.Bookmark, &corev1.Service{})
	w.Action(watch.Bookmark, endOfList())
	for range 3 {
		<-to.ResultChan()
	}
	s.pass(t, 90*time.Second)
	wantEnd(t, to)
	s.log.Expect(t)
}

// C1: a slow consumer does not make the server silent.
func TestC1SlowConsumer(t *testing.T) {
	s := newSilentWatches(t)
	w, to := s.begin()
	w.Action(watch.Added, &corev1.Service{})
	eventually(t, "the event to be taken", func() bool { return len(w.ResultChan()) == 0 && !s.clock.HasWaiters() })
	s.clock.Step(time.Hour)
	if event, ok := <-to.ResultChan(); !ok || event.Type != watch.Added {
		t.Errorf("%v", event)
	}
	to.Stop()
	wantEnd(t, to)
	s.log.Expect(t)
}

func beginsList(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"kind":"ServiceList","apiVersion":"v1","items":[`))
	_ = http.NewResponseController(w).Flush()
}

// C1: a list that goes on for ever, a little at a time, ends too.
func TestC1EndlessList(t *testing.T) {
	over := make(chan struct{})
	l, _ := newTestLister(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		beginsList(w)
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}))
	defer close(over)
	l.limits.List = 50 * time.Millisecond
	if _, err := l.list(t.Context(), metav1.ListOptions{}); err == nil || !strings.Contains(err.Error(), "not complete after 50ms") {
		t.Errorf("%v", err)
	}
}

// C1: a watch ends soon after the time that was requested.
func TestC1WatchWithoutEnd(t *testing.T) {
	api := kubetest.Hanging(t, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_ = http.NewResponseController(w).Flush()
	})
	l, _ := newTestLister(t, http.NotFoundHandler())
	l.clients = servicesClients(t, api.URL, l.clock)
	l.limits.Grace, l.listed = 2*time.Second, true // time enough to begin
	w, err := l.watch(context.Background(), metav1.ListOptions{TimeoutSeconds: new(int64)})
	if err != nil {
		t.Fatal(err)
	}
	for event := range w.ResultChan() {
		t.Errorf("%v", event)
	}
}
