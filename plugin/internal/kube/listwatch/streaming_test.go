package listwatch

import (
	"context"
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// C13: after an hour streaming lists are tried again.
func TestC13StreamingListsAreTriedAgain(t *testing.T) {
	l, _, log, clock := newStreamLister(t)
	s, kinds := l.streaming, []apiserver.Kind{{Name: "services"}, {Name: "namespaces"}, {Name: "endpointslices"}}
	for _, kind := range kinds { // as if one connection was cut
		s.breaksOff(kind)
	}
	if !s.possible() {
		t.Error("one list each is enough")
	}
	s.breaksOff(kinds[1])
	clock.Step(streamPause - 1)
	if s.possible() {
		t.Error("tried too early")
	}
	clock.Step(1)
	if !s.possible() {
		t.Error("never tried again")
	}
	s.breaksOff(kinds[1])
	s.breaksOff(kinds[1])
	if len(log.All()) != 1 {
		t.Errorf("log: %q", log.All())
	}
	s.complete(kinds[0])
	s.breaksOff(kinds[0])
	s.breaksOff(kinds[0])
	if len(log.All()) != 2 {
		t.Errorf("log: %q", log.All())
	}
}

// C13: a slow streaming list is not a list that has stopped.
func TestC13SlowStreamingList(t *testing.T) {
	s := newSilentWatches(t)
	taken := make(chan string)
	s.seen.taken = taken
	w := watch.NewFakeWithChanSize(1, false)
	begun := make(chan *stream)
	go func() { begun <- newStream(s.lister, w, func() {}, streamed) }()
	<-taken
	to := <-begun
	go func() {
		for range to.ResultChan() {
		}
	}()
	for range 10 {
		s.pass(t, s.limits.Stall-1)
		w.Add(serviceObject("a"))
		<-taken
	}
	if !alive(to) {
		t.Error("given up")
	}
	to.Stop()
}

// C2: client-go stops waiting after ten answers, but we follow the last Retry-After too.
func TestC2LastRetryAfter(t *testing.T) {
	l, _ := newTestLister(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", runtime.ContentTypeJSON)
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write(encode(runtime.ContentTypeJSON, &metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Reason: metav1.StatusReasonTooManyRequests, Code: http.StatusTooManyRequests,
			Details: &metav1.StatusDetails{RetryAfterSeconds: 30},
		}))
	}))
	clock := l.clock.(*clocktesting.FakeClock)
	failed := make(chan error)
	go func() {
		_, err := l.list(context.Background(), metav1.ListOptions{})
		failed <- err
	}()
	eventually(t, "the wait", clock.HasWaiters)
	clock.Step(29 * time.Second)
	select {
	case err := <-failed:
		t.Errorf("too early: %v", err)
	default:
	}
	clock.Step(time.Second)
	if err := <-failed; err == nil {
		t.Error("no error")
	}
}
