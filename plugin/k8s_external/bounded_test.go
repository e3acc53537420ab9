package external

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// crowdedQuestions are about names with thousands of endpoints.
var crowdedQuestions = []struct {
	name  string
	qtype uint16
}{
	{"example.org.", dns.TypeNS},
	{"ns1.dns.example.org.", dns.TypeA},
	{"big.a.example.org.", dns.TypeSRV},
	{"big.a.example.org.", dns.TypeA},
	{"_http._tcp.big.a.example.org.", dns.TypeSRV},
	{"twin.twins.a.example.org.", dns.TypeA},
}

// crowdedView shows clustertest.Crowded.
func crowdedView(t clustertest.T) *view {
	v := viewOf(t, "example.org.")
	v.headless, v.cluster.Local = true, clustertest.Addrs(t, "10.1.0.1")
	return v
}

// The cost of an answer depends on how much fits into it, and not on how many endpoints
// there are. Allocations show how many are looked at.
func TestB1OutsideCostIsBounded(t *testing.T) {
	v := crowdedView(t)
	few, many := clustertest.Snapshot(t, clustertest.Crowded(100)), clustertest.Snapshot(t, clustertest.Crowded(5000))
	for _, question := range crowdedQuestions {
		n, err := dnsname.Parse(question.name)
		if err != nil {
			t.Fatal(err)
		}
		cost := func(s *cluster.Snapshot) float64 {
			return testing.AllocsPerRun(20, func() {
				if a := v.lookup(s, &n, question.qtype, answer.Limits{Size: 1232, Reserved: 11}); a.Result != resolve.Success || !a.Truncated {
					t.Fatalf("%s: %v, truncated %v", question.name, a.Result, a.Truncated)
				}
			})
		}
		if a, b := cost(few), cost(many); b > a*1.2+5 {
			t.Errorf("%s %d: %v allocations of 5,000 endpoints, %v of 100", question.name, question.qtype, b, a)
		}
	}
}
