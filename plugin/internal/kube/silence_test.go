package kube

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
	"github.com/clusterdns/clusterdns/test/controlplane"
)

func neverBegins(http.ResponseWriter) {}

func beginsList(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"kind":"ServiceList","apiVersion":"v1","items":[`))
	_ = http.NewResponseController(w).Flush()
}

// C1: a list ends when no more of it arrives, and so does a request without any answer.
func TestC1SilentRequests(t *testing.T) {
	for _, tc := range []struct {
		name  string
		begin func(http.ResponseWriter)
		line  string
	}{
		{"no answer", neverBegins, "cannot be reached, retrying: net/http: timeout awaiting response headers"},
		{"half a list", beginsList, "cannot list services: list of services: nothing received for 50ms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api, log, seen := kubetest.Hanging(t, tc.begin), new(kubetest.Recorder), newObservations()
			quick := listwatch.DefaultLimits
			quick.Silence = 50 * time.Millisecond
			w, err := New(Config{Endpoint: api.URL}, Options{Log: log, Observer: seen, limits: quick})
			if err != nil {
				t.Fatal(err)
			}
			plain(w.source.(*server))
			start(t, w)
			eventually(t, "a line", func() bool { return len(log.With(tc.line)) == 1 })
			seen.when(t, "another try", func() bool { return len(seen.requests) > 5 || seen.silent["services"] > 1 })
			if n := len(log.With(tc.line)); n != 1 {
				t.Errorf("log: %q", log.All())
			}
		})
	}
}

// C1: behind a proxy whose connections fall silent and stay open, a Watcher opens new ones
// and misses nothing.
func TestC1SilentProxy(t *testing.T) {
	c := newCluster(t, controlplane.Options{})
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			gate, log, seen := newGate(t, c.Cluster), new(kubetest.Recorder), newObservations()
			quick := listwatch.DefaultLimits
			// Longer than what follows takes on a busy machine: a watch that is opened at the
			// moment of another's silence is closed with it, and its list is read again.
			quick.Silence = 10 * time.Second
			// Bookmarks are expected from the start: one comes only a minute after the
			// first event.
			w, _ := c.watcherWith(Config{Endpoint: gate.URL, Pods: true}, Options{Log: log, Observer: seen, limits: quick}, edit, func(s *server) { s.lists.Bookmarks = true })
			<-w.Synced()
			c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: heard-" + name + "}\n")
			c.expect(w, "heard-"+name+".svc.cluster.local.", typeA, noData)
			gate.fallSilent()
			c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: silent-" + name + "}\n")
			c.expect(w, "silent-"+name+".svc.cluster.local.", typeA, noData)
			c.expectShop(w)
			if lines := log.All(); len(lines) == 0 || !strings.Contains(lines[0], "has sent nothing on the watch of") {
				t.Errorf("log: %q", lines)
			}
			seen.when(t, "the count", func() bool { return len(seen.silent) > 0 && len(seen.relisted) == 0 })
		})
	}
}
