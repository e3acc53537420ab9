package external

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/cost"
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
		of := func(s *cluster.Snapshot) func() {
			return func() {
				if a := v.lookup(s, &n, question.qtype, answer.Limits{Size: 1232, Reserved: 11}); a.Result != resolve.Success || !a.Truncated {
					t.Fatalf("%s: %v, truncated %v", question.name, a.Result, a.Truncated)
				}
			}
		}
		cost.Same(t, fmt.Sprint(question), of(few), of(many))
	}
}

// B1: the same holds for addresses and ports of a Service itself, of which there may be thousands.
// To compare each with every other would take many minutes here.
func TestB1OutsideCostOfAddressesIsBounded(t *testing.T) {
	var addrs, ports strings.Builder
	for i := range 100000 {
		fmt.Fprintf(&addrs, ",11.%d.%d.%d", i>>16, i>>8&255, i&255)
		fmt.Fprintf(&ports, " p%d/tcp/%d", i, 1+i%65535)
	}
	v := viewOf(t, "example.org.")
	s := clustertest.Snapshot(t, "namespace a\noutside a/big "+addrs.String()[1:]+" - http/tcp/80\noutside a/ports 192.0.2.1 -"+ports.String())
	for _, question := range []string{"big.a.example.org. A", "big.a.example.org. AAAA", "big.a.example.org. SRV", "ports.a.example.org. SRV", "_p9._tcp.ports.a.example.org. SRV"} {
		n, qtype := parseQuestion(t, question)
		cost.Ends(t, question, func() {
			for range 20 {
				v.lookup(s, n, qtype, answer.Limits{Size: 1232, Reserved: 11})
			}
		})
	}
}

// lookups are counted; each takes a time.
type lookups struct {
	count int
	takes time.Duration
}

// Lookup implements upstreamer.
func (l *lookups) Lookup(_ context.Context, _ request.Request, name string, qtype uint16) (*dns.Msg, error) {
	l.count++
	time.Sleep(l.takes)
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET}}}
	return m, nil
}

// B3: one question for the SRV records of a Service with many hostnames makes few look-ups, and
// does not wait for long.
func TestB3AddressesOfFewHosts(t *testing.T) {
	hosts := make([]string, 50)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("lb%d.example.net.", i)
	}
	for takes, want := range map[time.Duration]int{0: 8, 800 * time.Millisecond: 2} {
		synctest.Test(t, func(t *testing.T) {
			up := &lookups{takes: takes}
			h, m := &handler{upstream: up}, new(dns.Msg)
			h.addAddresses(context.Background(), request.Request{W: &test.ResponseWriter{}, Req: new(dns.Msg)}, m, &answer.Answer{Hosts: hosts})
			if up.count != want || len(m.Extra) != want {
				t.Errorf("each takes %s: %d look-ups, %d records, want %d", takes, up.count, len(m.Extra), want)
			}
		})
	}
}
