package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// someSeconds is how many questions a load asks in a few seconds.
const someSeconds = 300

// The API server crashes and is away for a while, during which the Corefile is reloaded.
// When it returns, a lot changes at once.
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
	l.awaitQuestions(t, someSeconds)
	s.mustReload(t, block(source, "pods verified", "ttl 9"))
	if ttl := s.ttl(t, "A web.away.svc.cluster.local"); ttl != 9 {
		t.Errorf("TTL %d after the reload, want 9", ttl)
	}
	l.awaitQuestions(t, someSeconds)

	c.restart(t)
	l.may(w.after().answers())
	w.change(t, c)
	l.settle(t)
	l.finish(t)
}

// noHTTP2 gives each watch its own connection. When that breaks, a client continues from
// its last event; with one connection for all watches it may list everything again.
const noHTTP2 = "--disable-http2-serving"

// The API server is restarted and has forgotten the events that the server missed: watches
// get 410 Gone, and the server must list everything again.
func TestHistoryForgotten(t *testing.T) {
	t.Parallel()
	for verb, plain := range map[string]bool{"stream": false, "list": true} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			options := controlplane.Options{DisableStreamingLists: plain, APIServerArgs: []string{noHTTP2}}
			forgetHistory(t, startCluster(t, options), verb)
		})
	}
}

func forgetHistory(t *testing.T, c *cluster, verb string) {
	w := world{namespace: "forgotten", octet: "60"}
	c.apply(t, w.before().objects())
	u, way := c.user(t, "forgotten"), c.link(t)
	s := start(t, block(u.by(way), "pods verified"))
	s.expect(t, w.before().answers())
	l := s.load(t, w.before().answers())
	l.awaitQuestions(t, someSeconds) // a watch that ends at once also leads to a list

	way.cut()
	w.change(t, c)
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.restart(t)
	before := len(u.requests(t))
	l.may(w.after().answers())
	way.mend(t)
	l.settle(t)
	u.awaitRelist(t, before, verb)
	l.finish(t)
}

// awaitRelist waits until each kind of object has been watched without knowing of the loss,
// and then listed. Some kinds take long, and no answer shows it.
func (u *user) awaitRelist(t *testing.T, since int, verb string) {
	t.Helper()
	eventually(t, func() error {
		requests := u.requests(t)[since:]
		for _, resource := range watched {
			watch := slices.Index(requests, "watch "+resource)
			if watch < 0 || !slices.Contains(requests[watch:], verb+" "+resource) {
				return fmt.Errorf("no watch of %s that leads to a %s:\n%s", resource, verb, strings.Join(requests, "\n"))
			}
		}
		return nil
	})
}
