package external

import (
	"context"
	"strings"
	"testing"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Whether the cache may answer is decided without a look at an endpoint: a look would leave
// cached data on the Service's node.
func TestB1CoversVisitsNoEndpoint(t *testing.T) {
	v := crowdedView(t)
	few, many := clustertest.Snapshot(t, clustertest.Crowded(100)), clustertest.Snapshot(t, clustertest.Crowded(5000))
	for _, question := range crowdedQuestions {
		cost := func(s *cluster.Snapshot) float64 {
			return testing.AllocsPerRun(20, func() {
				if got := v.covers(s, nil, question.name, question.qtype); got != chain.CoversAnswer {
					t.Fatalf("%v: %d", question, got)
				}
			})
		}
		if a, b := cost(few), cost(many); a != 0 || b != 0 {
			t.Errorf("%v: %v allocations of 5,000 endpoints, %v of 100", question, b, a)
		}
	}
	for _, name := range []string{"big", "twins"} {
		if kept := many.Service(cluster.Key{Namespace: "a", Name: name}).Cached(); kept != nil {
			t.Errorf("%s was visited: %T", name, kept)
		}
	}
}

func TestCovers(t *testing.T) {
	v := viewOf(t, "example.org.", "2.0.192.in-addr.arpa.")
	s := clustertest.Snapshot(t, outsideServices+`
		outside default/ours - web.default.example.org. http/tcp/80
		outside default/gone - nobody.default.example.org. http/tcp/80
		outside default/silent - lb.example.net.
	`)
	everywhere := dnsname.ParseZones([]string{"."})
	inGone := dnsname.ParseZones([]string{"nobody.default.example.org."})
	for _, tc := range []struct {
		question string
		fall     dnsname.Zones
		want     chain.Coverage
	}{
		{"web.default.example.org. A", everywhere, chain.CoversAnswer},
		{"web.default.example.org. TXT", everywhere, chain.CoversAnswer},
		{"example.org. SOA", everywhere, chain.CoversAnswer},
		{"www.example.com. A", nil, chain.CoversNothing},
		{"absent.example.org. A", nil, chain.CoversDenial},
		{"absent.example.org. A", everywhere, chain.CoversNothing},
		{"99.2.0.192.in-addr.arpa. PTR", nil, chain.CoversDenial},
		{"1.2.0.192.in-addr.arpa. PTR", everywhere, chain.CoversAnswer},
		{"1.2.0.192.in-addr.arpa. A", everywhere, chain.CoversAnswer},
		{"absent.example.org. AXFR", everywhere, chain.CoversAnswer},
		{"lb.default.example.org. IXFR", everywhere, chain.CoversAnswer},
		{"lb.default.example.org. A", nil, chain.CoversNothing},
		{"lb.default.example.org. CNAME", nil, chain.CoversAnswer},
		{"lb.default.example.org. SRV", nil, chain.CoversNothing},
		{"mixed.default.example.org. SRV", nil, chain.CoversNothing},
		{"mixed.default.example.org. A", nil, chain.CoversAnswer},
		{"web.default.example.org. SRV", nil, chain.CoversAnswer},
		{"silent.default.example.org. SRV", nil, chain.CoversAnswer},
		{"ours.default.example.org. A", everywhere, chain.CoversAnswer},
		{"gone.default.example.org. A", nil, chain.CoversDenial},
		{"gone.default.example.org. A", inGone, chain.CoversNothing},
	} {
		name, qtype := parseQuestion(t, tc.question)
		if got := v.covers(s, tc.fall, name.String(), qtype); got != tc.want {
			t.Errorf("%s, falling through in %v: %d, want %d", tc.question, tc.fall, got, tc.want)
		}
	}
}

// counter counts its questions.
type counter int

func (c *counter) Lookup(context.Context, request.Request, string, uint16) (*dns.Msg, error) {
	*c++
	return new(dns.Msg), nil
}

// Other servers are asked for the addresses of load balancers only, even if those of
// endpoints do not fit into the reply.
func TestB1NobodyIsAskedForEndpoints(t *testing.T) {
	crowded, plain := crowdedView(t), viewOf(t, "example.org.")
	for _, tc := range []struct {
		v        *view
		s        *cluster.Snapshot
		question string
		want     counter
	}{
		{crowded, clustertest.Snapshot(t, clustertest.Crowded(100)), "_http._tcp.big.a.example.org. SRV", 0},
		{plain, clustertest.Snapshot(t, outsideServices), "web.default.example.org. SRV", 0},
		{plain, clustertest.Snapshot(t, outsideServices), "mixed.default.example.org. SRV", 2},
		{plain, clustertest.Snapshot(t, outsideServices), "two.default.example.org. SRV", 4},
	} {
		name, qtype := parseQuestion(t, tc.question)
		a := tc.v.lookup(tc.s, name, qtype, answer.Limits{Size: 1232})
		var asked counter
		h := handler{upstream: &asked}
		h.addAddresses(context.Background(), request.Request{}, new(dns.Msg), &a)
		if asked != tc.want {
			t.Errorf("%s: %d look-ups, want %d", tc.question, asked, tc.want)
		}
	}
}

// parseQuestion reads "name type".
func parseQuestion(t clustertest.T, question string) (*dnsname.Name, uint16) {
	t.Helper()
	name, qtype, _ := strings.Cut(question, " ")
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return &n, dns.StringToType[qtype]
}
