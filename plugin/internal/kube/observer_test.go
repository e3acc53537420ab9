package kube

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/clusterdns/clusterdns/test/kit/leak"
)

// observations is an Observer that records what is reported to it.
type observations struct {
	mu         sync.Mutex
	programmed []string // kind and latency
	heard      map[string]time.Time
	relisted   map[string]int
	silent     map[string]int
	held       map[string]int
	contested  int
	commits    int
	requests   []Request
}

func newObservations() *observations {
	return &observations{heard: map[string]time.Time{}, relisted: map[string]int{}, silent: map[string]int{}, held: map[string]int{}}
}

func (w *observations) Programmed(kind string, latency time.Duration) {
	w.note(func() { w.programmed = append(w.programmed, kind+" "+latency.String()) })
}
func (w *observations) Heard(r string, at time.Time) { w.note(func() { w.heard[r] = at }) }
func (w *observations) Relisted(resource string)     { w.note(func() { w.relisted[resource]++ }) }
func (w *observations) Silent(resource string)       { w.note(func() { w.silent[resource]++ }) }
func (w *observations) Held(resource string, n int)  { w.note(func() { w.held[resource] = n }) }
func (w *observations) Contested(n int)              { w.note(func() { w.contested = n }) }
func (w *observations) Committed()                   { w.note(func() { w.commits++ }) }
func (w *observations) Requested(r Request)          { w.note(func() { w.requests = append(w.requests, r) }) }

func (w *observations) note(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// watches returns how many of the requests were watches.
func (w *observations) watches() int {
	return len(slices.DeleteFunc(slices.Clone(w.requests), func(r Request) bool { return !r.Watch }))
}

// committed returns how many commits changed the store. Unlike the serial, that does not rise
// with time alone.
func (w *observations) committed() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commits
}

// wantNoRelist checks that nothing was listed again.
func (w *observations) wantNoRelist(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.relisted) > 0 {
		t.Errorf("listed again: %v", w.relisted)
	}
}

// when waits until the records fit.
func (w *observations) when(t *testing.T, what string, fits func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return fits()
	})
}

// Counts and commits are reported after each commit, and never without one.
func TestHeldAndCommitted(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{NoEndpoints: true})
	seen := newObservations()
	wr.observer = seen
	expect := func(commits int, held map[string]int) {
		t.Helper()
		if seen.commits != commits || !maps.Equal(seen.held, held) {
			t.Errorf("%d commits, held %v", seen.commits, seen.held)
		}
	}
	wr.apply(resources[0].drop(serviceObject("web", "")))
	expect(0, map[string]int{})
	wr.apply(resources[0].put(serviceObject("web", "10.0.0.1")))
	expect(1, map[string]int{"services": 1, "namespaces": 0})
	clear(seen.held)
	wr.apply(resources[0].put(serviceObject("web", "10.0.0.2")))
	wr.apply(resources[0].put(serviceObject("web", "10.0.0.2")))
	expect(2, map[string]int{})
	list(wr, resources[0])
	expect(3, map[string]int{"services": 0})
}

// Heard reports events, bookmarks and the ends of lists, and Relisted reports every list
// but the first.
func TestHeardAndRelisted(t *testing.T) {
	leak.None(t)
	wr, resources, clock := newTestWriter(Config{NoEndpoints: true})
	seen := newObservations()
	watches := followWith(t, wr, resources[0], func(s *reflectorStore) { s.observer, s.clock = seen, clock })
	heard := func(what string) {
		t.Helper()
		seen.when(t, what, func() bool { return seen.heard["services"].Equal(clock.Now()) })
		clock.Step(time.Second)
	}
	w := <-watches
	w.Add(serviceObject("a", "10.0.0.1"))
	eventually(t, "an object of the list", func() bool { return wr.store.Load().Counts().Services == 1 })
	seen.note(func() {
		if len(seen.heard) > 0 {
			t.Error("heard before the list has ended")
		}
	})
	w.Action(watch.Bookmark, endOfList())
	heard("the end of the list")
	w.Add(serviceObject("b", "10.0.0.1"))
	heard("an addition")
	w.Modify(serviceObject("b", "10.0.0.2"))
	heard("a change")
	w.Delete(serviceObject("b", "10.0.0.2"))
	heard("a deletion")
	w.Action(watch.Bookmark, serviceObject("", ""))
	heard("a bookmark")
	w.Error(&metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: 410})
	w = <-watches
	if n := seen.relisted["services"]; n != 0 {
		t.Errorf("%d relists after one list", n)
	}
	w.Action(watch.Bookmark, endOfList())
	heard("the end of the second list")
	seen.when(t, "one relist", func() bool { return seen.relisted["services"] == 1 })
}

// A plain list ends with Replace too.
func TestRelistedByPlainLists(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	seen := newObservations()
	s := newTestStore(context.Background(), resources[0], wr.changes)
	s.observer = seen
	for range 3 {
		if err := s.Replace(nil, "7"); err != nil {
			t.Fatal(err)
		}
	}
	if seen.relisted["services"] != 2 {
		t.Errorf("%d relists after three lists", seen.relisted["services"])
	}
}

// testObserver counts what a whole Watcher does.
func testObserver(c *testCluster) {
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c, seen, gate := c.in(t), newObservations(), newGate(t, c.Cluster)
			w, _ := c.watcherWith(Config{Endpoint: gate.URL}, Options{Observer: seen}, edit)
			<-w.Synced()
			c.expectObserved(seen, gate, name)
		})
	}
}

func (c *testCluster) expectObserved(seen *observations, gate *gate, mode string) {
	t := c.t
	resources := []string{"endpointslices", "namespaces", "services"}
	seen.when(t, "all resources", func() bool {
		return slices.Equal(slices.Sorted(maps.Keys(seen.heard)), resources) && slices.Equal(slices.Sorted(maps.Keys(seen.held)), resources)
	})
	before := seen.held["services"]
	c.apply("apiVersion: v1\nkind: Service\nmetadata: {name: observed-" + mode + ", namespace: shop}\nspec: {clusterIP: None}\n")
	seen.when(t, "one more Service", func() bool { return seen.held["services"] == before+1 })
	c.apply(datedSlice("observed-"+mode, time.Now().Add(-time.Minute)))
	seen.when(t, "a latency", func() bool {
		return len(seen.programmed) == 1 && strings.HasPrefix(seen.programmed[0], "headless_with_selector 1m")
	})
	// After a plain list, the watch of a kind without events may not have begun yet.
	seen.when(t, "a watch of each kind", func() bool { return seen.watches() >= 3 })
	seen.note(func() {
		if len(seen.relisted) > 0 {
			t.Errorf("relisted %v", seen.relisted)
		}
		for _, r := range seen.requests {
			if r.Method != "GET" || "http://"+r.Host != gate.URL || r.Code != "200" || r.Took < r.Waited {
				t.Errorf("%+v", r)
			}
		}
		lists := len(seen.requests) - seen.watches() // of one page or more
		if seen.watches() != 3 || mode == "streaming" && lists > 0 || mode == "plain" && lists < 3 {
			t.Errorf("%d watches among %d requests", seen.watches(), len(seen.requests))
		}
	})
}

// datedSlice returns an EndpointSlice of a Service in shop, as its controller writes it.
func datedSlice(service string, cause time.Time) string {
	return `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ` + service + `
  namespace: shop
  labels: {kubernetes.io/service-name: ` + service + `}
  annotations: {endpoints.kubernetes.io/last-change-trigger-time: "` + cause.UTC().Format(time.RFC3339Nano) + `"}
addressType: IPv4
endpoints: [{addresses: [10.1.0.77]}]
`
}
