package clusterdns

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// onServer returns the context of a question to the server with an address.
func onServer(addr string) context.Context {
	return context.WithValue(context.Background(), dnsserver.Key{}, &dnsserver.Server{Addr: addr})
}

func TestAnswersAreCounted(t *testing.T) {
	for _, tc := range []struct {
		name    string
		qtype   uint16
		kind    string
		outcome string
	}{
		{"web.shop.svc.cluster.local.", dns.TypeA, "service", "success"},
		{"web.shop.svc.cluster.local.", dns.TypeMX, "service", "nodata"},
		{"no.shop.svc.cluster.local.", dns.TypeA, "service", "nxdomain"},
		{"web.nowhere.svc.cluster.local.", dns.TypeA, "namespace", "nxdomain"},
		{"www.example.com.cluster.local.", dns.TypeA, "zone", "nxdomain"},
		{"out.shop.svc.cluster.local.", dns.TypeA, "externalname", "upstream"},
		{"gone.shop.svc.cluster.local.", dns.TypeA, "externalname", "nxdomain"},
		{"away.shop.svc.cluster.local.", dns.TypeA, "externalname", "upstream"},
		{"9.9.9.10.in-addr.arpa.", dns.TypePTR, "reverse", "fallthrough"},
		{"no.drop.svc.cluster.local.", dns.TypeA, "service", "fallthrough"},
		{"cluster.local.", dns.TypeAXFR, "zone", "refused"},
	} {
		t.Run(tc.name+dns.TypeToString[tc.qtype], func(t *testing.T) {
			d, addr := testHandler(t), "dns://"+t.Name()
			d.upstream = upstreamFunc(func(string, uint16) (*dns.Msg, error) { return new(dns.Msg), nil })
			checkCounted(t, d, addr, new(dns.Msg).SetQuestion(tc.name, tc.qtype), tc.kind, tc.outcome)
		})
	}
}

// checkCounted asks, and checks that exactly one answer is counted, with the expected
// labels.
func checkCounted(t *testing.T, d *ClusterDNS, addr string, r *dns.Msg, kind, outcome string) {
	t.Helper()
	if _, err := d.ServeDNS(onServer(addr), dnstest.NewRecorder(&test.ResponseWriter{}), r); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{fmt.Sprintf("[kind=%s outcome=%s server=%s]", kind, outcome, addr): 1}
	if got := answersOf(t, addr); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// answersOf returns what was counted for a server, by labels.
func answersOf(t *testing.T, addr string) map[string]float64 {
	return metrics.Series(t, "coredns_clusterdns_answers_total", "server="+addr)
}

func TestAnswersBeforeTheSync(t *testing.T) {
	d := testHandler(t)
	d.store = cluster.NewStore()
	r := new(dns.Msg).SetQuestion("web.shop.svc.cluster.local.", dns.TypeA)
	checkCounted(t, d, "dns://"+t.Name(), r, "unknown", "not_ready")
}

// A name outside our zones is not counted.
func TestOutOfZoneIsNotCounted(t *testing.T) {
	d, addr := testHandler(t), "dns://"+t.Name()
	r := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	if _, err := d.ServeDNS(onServer(addr), dnstest.NewRecorder(&test.ResponseWriter{}), r); err != nil {
		t.Fatal(err)
	}
	if got := answersOf(t, addr); len(got) > 0 {
		t.Errorf("counted %v", got)
	}
}
