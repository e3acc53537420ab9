package clusterdns

import (
	"context"
	"sync"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// onServer is the context of a question to the server with an address.
func onServer(addr string) context.Context {
	return context.WithValue(context.Background(), dnsserver.Key{}, &dnsserver.Server{Addr: addr})
}

// counted is what was counted for a server.
func counted(addr string, k resolve.NameKind, o outcome) float64 {
	return testutil.ToFloat64(metrics.answers.WithLabelValues(addr, kindLabels[k], outcomeLabels[o]))
}

func TestAnswersAreCounted(t *testing.T) {
	for _, tc := range []struct {
		name    string
		qtype   uint16
		kind    resolve.NameKind
		outcome outcome
	}{
		{"web.shop.svc.cluster.local.", dns.TypeA, resolve.KindService, outcomeSuccess},
		{"web.shop.svc.cluster.local.", dns.TypeMX, resolve.KindService, outcomeNoData},
		{"no.shop.svc.cluster.local.", dns.TypeA, resolve.KindService, outcomeNXDomain},
		{"web.nowhere.svc.cluster.local.", dns.TypeA, resolve.KindNamespace, outcomeNXDomain},
		{"www.example.com.cluster.local.", dns.TypeA, resolve.KindZone, outcomeNXDomain},
		{"out.shop.svc.cluster.local.", dns.TypeA, resolve.KindExternalName, outcomeUpstream},
		{"gone.shop.svc.cluster.local.", dns.TypeA, resolve.KindExternalName, outcomeNXDomain},
		{"away.shop.svc.cluster.local.", dns.TypeA, resolve.KindExternalName, outcomeUpstream},
		{"9.9.9.10.in-addr.arpa.", dns.TypePTR, resolve.KindReverse, outcomeFallthrough},
		{"no.drop.svc.cluster.local.", dns.TypeA, resolve.KindService, outcomeFallthrough},
		{"cluster.local.", dns.TypeAXFR, resolve.KindZone, outcomeRefused},
	} {
		t.Run(tc.name+dns.TypeToString[tc.qtype], func(t *testing.T) {
			d, addr := testHandler(t), "dns://"+t.Name()
			d.upstream = upstreamFunc(func(string, uint16) (*dns.Msg, error) { return new(dns.Msg), nil })
			checkCounted(t, d, addr, new(dns.Msg).SetQuestion(tc.name, tc.qtype), tc.kind, tc.outcome)
		})
	}
}

// checkCounted asks and checks that just one answer is counted, as it should be.
func checkCounted(t *testing.T, d *ClusterDNS, addr string, r *dns.Msg, k resolve.NameKind, o outcome) {
	t.Helper()
	if _, err := d.ServeDNS(onServer(addr), dnstest.NewRecorder(&test.ResponseWriter{}), r); err != nil {
		t.Fatal(err)
	}
	for kind := range resolve.NameKinds {
		for what := range outcomes {
			want := 0.0
			if kind == k && what == o {
				want = 1
			}
			if got := counted(addr, kind, what); got != want {
				t.Errorf("%s %s counted %g times, want %g", kindLabels[kind], outcomeLabels[what], got, want)
			}
		}
	}
}

func TestAnswersBeforeTheSync(t *testing.T) {
	d := testHandler(t)
	d.store = cluster.NewStore()
	r := new(dns.Msg).SetQuestion("web.shop.svc.cluster.local.", dns.TypeA)
	checkCounted(t, d, "dns://"+t.Name(), r, resolve.KindUnknown, outcomeNotReady)
}

// What is in none of our zones is nobody's answer.
func TestOutOfZoneIsNotCounted(t *testing.T) {
	d, addr := testHandler(t), "dns://"+t.Name()
	r := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	if _, err := d.ServeDNS(onServer(addr), dnstest.NewRecorder(&test.ResponseWriter{}), r); err != nil {
		t.Fatal(err)
	}
	if d.answers.known.Load() != nil {
		t.Error("counted")
	}
}

// A handler is part of every server of its block, and each counts for itself.
func TestAnswersByServer(t *testing.T) {
	d := testHandler(t)
	udp, tls := onServer("dns://"+t.Name()), onServer("tls://"+t.Name())
	a := &answer.Answer{Result: resolve.Success, Kind: resolve.KindPod}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 100 {
				d.answers.of(udp).Answered(a)
				d.answers.of(tls).Answered(a)
			}
		})
	}
	asking.Wait()
	for _, transport := range []string{"dns", "tls"} {
		if got := counted(transport+"://"+t.Name(), resolve.KindPod, outcomeSuccess); got != 800 {
			t.Errorf("%s: counted %g answers, want 800", transport, got)
		}
	}
	if known := *d.answers.known.Load(); len(known) != 2 {
		t.Errorf("%d servers are known, want two", len(known))
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	d, ctx := testHandler(t), onServer("dns://"+t.Name())
	a := &answer.Answer{Result: resolve.NXDomain, Kind: resolve.KindNamespace}
	if n := testing.AllocsPerRun(100, func() { d.answers.of(ctx).Answered(a) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// Every kind and every outcome has a label of its own, and nothing else has one.
func TestAnswerLabels(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry(), held(1))
	c := newAnswerCounter(m, "dns://:53")
	for kind := range resolve.NameKinds {
		for what := range outcomes {
			if kindLabels[kind] == "" || outcomeLabels[what] == "" {
				t.Fatalf("kind %d or outcome %d has no label", kind, what)
			}
			c.count(kind, what)
			c.count(kind, what)
		}
	}
	if got, want := testutil.CollectAndCount(m.answers), int(resolve.NameKinds)*int(outcomes); got != want {
		t.Errorf("%d series, want %d", got, want)
	}
}

func BenchmarkCount(b *testing.B) {
	var counters serverCounters
	ctx := onServer("dns://" + b.Name())
	a := &answer.Answer{Result: resolve.Success, Kind: resolve.KindService}
	for b.Loop() {
		counters.of(ctx).Answered(a)
	}
}
