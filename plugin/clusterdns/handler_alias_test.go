package clusterdns

import (
	"context"
	"fmt"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func TestWithTargetEnds(t *testing.T) {
	ctx, ok := withTarget(context.Background(), "a.example.org.")
	if !ok {
		t.Fatal("the first step is refused")
	}
	if _, ok := withTarget(ctx, "A.example.ORG."); ok {
		t.Error("a circle is followed")
	}
	for i := 1; i < maxTargets; i++ {
		if ctx, ok = withTarget(ctx, fmt.Sprintf("%d.example.org.", i)); !ok {
			t.Fatalf("step %d is refused", i)
		}
	}
	if _, ok := withTarget(ctx, "z.example.org."); ok {
		t.Error("a chain without end is followed")
	}
}

// An alias that leads back through another plugin is followed once.
func TestReplyEndsCircles(t *testing.T) {
	d := testHandler(t)
	asked := 0
	alias := func(owner, target string) answer.Answer {
		rr := test.CNAME(owner + " 5 IN CNAME " + target)
		return answer.Answer{Result: resolve.FollowTarget, Target: target, Records: []dns.RR{rr}}
	}
	state := request.Request{Req: new(dns.Msg).SetQuestion("a.example.org.", dns.TypeA), W: &test.ResponseWriter{}}
	d.upstream = lookupFunc(func(ctx context.Context, name string) (*dns.Msg, error) {
		asked++
		back := alias(name, "a.example.org.")
		if name == "a.example.org." {
			back = alias(name, "b.example.org.")
		}
		return d.Reply(ctx, state.W, state.Req, &back), nil
	})
	a := alias("a.example.org.", "b.example.org.")
	m := d.Reply(context.Background(), state.W, state.Req, &a)
	if asked != 2 || len(m.Answer) != 2 || m.Rcode != dns.RcodeSuccess {
		t.Errorf("asked %d times, got\n%s", asked, m)
	}
}

// lookupFunc stands for the rest of the server, which passes the context on.
type lookupFunc func(ctx context.Context, name string) (*dns.Msg, error)

func (f lookupFunc) Lookup(ctx context.Context, _ request.Request, name string, _ uint16) (*dns.Msg, error) {
	return f(ctx, name)
}

func TestFallsThrough(t *testing.T) {
	name, err := dnsname.Parse("a.example.org.")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		zones  []string
		result resolve.Result
		want   bool
	}{
		{nil, resolve.NXDomain, false},
		{[]string{"."}, resolve.NXDomain, true},
		{[]string{"example.org."}, resolve.NXDomain, true},
		{[]string{"example.com."}, resolve.NXDomain, false},
		{[]string{"."}, resolve.NoData, false},
		{[]string{"."}, resolve.NotReady, false},
	} {
		if got := fallsThrough(dnsname.ParseZones(tc.zones), &name, &answer.Answer{Result: tc.result}); got != tc.want {
			t.Errorf("%v: got %v", tc, got)
		}
	}
}

// TestThroughIsFalls: our comparison of names has the same results as CoreDNS's.
func TestThroughIsFalls(t *testing.T) {
	names := []string{
		".", "org.", "example.org.", "Example.ORG.", "a.example.org.", "aexample.org.", `a\.example.org.`, `a\\.example.org.`, `\101xample.org.`,
		"1.in-addr.arpa.", "xin-addr.arpa.", `x\.in-addr.arpa.`, "com.",
	}
	for _, zones := range [][]string{nil, {"."}, {"org."}, {"example.org."}, {"in-addr.arpa.", "ip6.arpa."}, {"a.example.org.", "com."}} {
		f := fall.F{Zones: zones}
		for _, name := range names {
			packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
			if err != nil {
				t.Fatal(err)
			}
			m := new(dns.Msg)
			if err := m.Unpack(packet); err != nil {
				t.Fatal(err)
			}
			state := request.Request{Req: m} // with the name as CoreDNS reads it
			n, err := dnsname.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := dnsname.ParseZones(zones).Enclose(&n), f.Through(state.Name()); got != want {
				t.Errorf("%s in %v: got %v, want %v", name, zones, got, want)
			}
		}
	}
}
