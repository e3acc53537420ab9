package completion

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// completerOf returns a completer for names in these zones.
func completerOf(t *testing.T, cfg Config, origins ...string) *Completer {
	t.Helper()
	view := &resolve.View{}
	for _, text := range origins {
		o, err := resolve.ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		view.Origins = append(view.Origins, o)
	}
	cfg.View = view
	return New(cfg)
}

func parseName(t *testing.T, text string) *dnsname.Name {
	t.Helper()
	n, err := dnsname.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// TestQuestionTakesTheLongestOrigin covers nested origins, in both orders.
func TestQuestionTakesTheLongestOrigin(t *testing.T) {
	for _, origins := range [][]string{{"cluster.local", "a.svc.cluster.local", "10.in-addr.arpa"}, {"10.in-addr.arpa", "a.svc.cluster.local", "cluster.local"}} {
		c := completerOf(t, Config{Mode: Names}, origins...)
		for text, want := range map[string]string{
			"www.example.b.svc.cluster.local.":       "cluster.local.",
			"www.example.b.svc.a.svc.cluster.local.": "a.svc.cluster.local.",
			"www.example.b.svc.10.in-addr.arpa.":     "",
			"www.example.a.svc.cluster.local.":       "", // in the longer origin, and not searched for there
			"www.example.":                           "",
		} {
			n, got := parseName(t, text), ""
			if _, path, ok := c.question(n, []byte(n.Wire())); ok {
				o, err := dnsname.ParseWire([]byte(path.Origin()))
				if err != nil {
					t.Fatal(err)
				}
				got = o.String()
			}
			if got != want {
				t.Errorf("%v: %s is searched for in %q, want %q", origins, text, got, want)
			}
		}
	}
}

// TestStatus covers the status of a name after a look-up, by the surroundings.
func TestStatus(t *testing.T) {
	c := completerOf(t, Config{Mode: Names, Fallthrough: dnsname.ParseZones([]string{"next.cluster.local."})}, "cluster.local")
	all := completerOf(t, Config{Mode: Names}, "cluster.local")
	all.AskAll = true
	for _, tc := range []struct {
		c    *Completer
		r    resolve.Result
		name string
		want searchpath.Status
	}{
		{c, resolve.OutOfZone, "www.example.", searchpath.Elsewhere},
		{c, resolve.Success, "web.shop.svc.cluster.local.", searchpath.Present},
		{c, resolve.NoData, "web.shop.svc.cluster.local.", searchpath.Present},
		{c, resolve.FollowTarget, "out.shop.svc.cluster.local.", searchpath.Unclear},
		{c, resolve.NXDomain, "no.shop.svc.cluster.local.", searchpath.Absent},
		{c, resolve.NXDomain, "no.next.cluster.local.", searchpath.Unclear},
		{all, resolve.Success, "web.shop.svc.cluster.local.", searchpath.Unclear},
		{all, resolve.NXDomain, "no.shop.svc.cluster.local.", searchpath.Unclear},
		{all, resolve.OutOfZone, "www.example.", searchpath.Elsewhere},
	} {
		if got := tc.c.status(tc.r, parseName(t, tc.name)); got != tc.want {
			t.Errorf("%s with the result %v: %v, want %v", tc.name, tc.r, got, tc.want)
		}
	}
}

func TestNothingIsCompletedWhenOff(t *testing.T) {
	if c := New(Config{}); c != nil || c.ForSockets() != nil {
		t.Error("a completer without a mode")
	}
}
