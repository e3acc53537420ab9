package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// someSeconds is how many questions a load asks in some seconds.
const someSeconds = 300

// The API server crashes and stays away for a while, in which the Corefile is
// reloaded. When it is back, a lot changes at once.
func TestAPIServerAway(t *testing.T) {
	t.Parallel()
	c := startCluster(t, controlplane.Options{})
	w := world{namespace: "away", octet: "50"}
	c.apply(t, w.before().objects())
	source := c.user(t, "away").direct(t)
	s := start(t, block(source, "pods verified"))
	s.expect(t, w.before().answers())
	l := s.load(t, w.before().answers())

	c.KillAPIServer()
	l.goOn(t, someSeconds)
	s.mustReload(t, block(source, "pods verified", "ttl 9"))
	if ttl := s.ttl(t, "A web.away.svc.cluster.local"); ttl != 9 {
		t.Errorf("TTL %d after the reload, want 9", ttl)
	}
	l.goOn(t, someSeconds)

	c.restart(t)
	l.may(w.after().answers())
	w.change(t, c)
	l.settle(t)
	l.finish(t)
}

// The API server is restarted and has forgotten the history that the server
// missed: its watches get 410 Gone, and everything has to be listed again.
func TestHistoryForgotten(t *testing.T) {
	t.Parallel()
	for verb, plain := range map[string]bool{"stream": false, "list": true} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			forgetHistory(t, startCluster(t, controlplane.Options{DisableStreamingLists: plain}), verb)
		})
	}
}

// forgetHistory lets the API server close the watches in order, since a client
// does not try to go on with one that broke.
func forgetHistory(t *testing.T, c *cluster, verb string) {
	w := world{namespace: "forgotten", octet: "60"}
	c.apply(t, w.before().objects())
	u, way := c.user(t, "forgotten"), c.link(t)
	s := start(t, block(u.by(way), "pods verified"))
	s.expect(t, w.before().answers())
	l := s.load(t, w.before().answers())

	way.refuse()
	for _, err := range []error{c.StopAPIServer(), c.Compact(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c.restart(t)
	w.change(t, c)
	before := len(u.requests(t))
	l.may(w.after().answers())
	way.mend(t)
	l.settle(t)
	l.finish(t)
	wantRelist(t, u.requests(t)[before:], verb)
}

// wantRelist fails the test unless each kind of object was first watched, as if
// nothing had happened, and then listed.
func wantRelist(t *testing.T, requests []string, verb string) {
	t.Helper()
	for _, resource := range []string{"services", "namespaces", "endpointslices", "pods"} {
		watch, list := slices.Index(requests, "watch "+resource), slices.Index(requests, verb+" "+resource)
		if watch < 0 || list < watch {
			t.Errorf("no watch of %s that leads to a %s:\n%s", resource, verb, strings.Join(requests, "\n"))
		}
	}
}
