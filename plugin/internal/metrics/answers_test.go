package metrics

import (
	"context"
	"sync"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// testCollectors returns collectors with a registry of their own.
func testCollectors() *Collectors { return New(prometheus.NewRegistry(), snapshots(1), noReport) }

// onServer returns the context of a question to the server with an address.
func onServer(addr string) context.Context {
	return context.WithValue(context.Background(), dnsserver.Key{}, &dnsserver.Server{Addr: addr})
}

// counted returns what was counted for a server.
func counted(c *Collectors, addr string, k resolve.NameKind, o outcome) float64 {
	return testutil.ToFloat64(c.answers.WithLabelValues(addr, kindLabels[k], outcomeLabels[o]))
}

// A server block has several servers, and each counts for itself.
func TestAnswersByServer(t *testing.T) {
	m := testCollectors()
	servers := m.Servers()
	udp, tls := onServer("dns://"+t.Name()), onServer("tls://"+t.Name())
	a := &answer.Answer{Result: resolve.Success, Kind: resolve.KindPod}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 100 {
				servers.Of(udp).Answered(a)
				servers.Of(tls).Answered(a)
			}
		})
	}
	asking.Wait()
	for _, transport := range []string{"dns", "tls"} {
		if got := counted(m, transport+"://"+t.Name(), resolve.KindPod, outcomeSuccess); got != 800 {
			t.Errorf("%s: counted %g answers, want 800", transport, got)
		}
	}
	if known := *servers.known.Load(); len(known) != 2 {
		t.Errorf("%d servers are known, want two", len(known))
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	servers, ctx := testCollectors().Servers(), onServer("dns://"+t.Name())
	a := &answer.Answer{Result: resolve.NXDomain, Kind: resolve.KindNamespace}
	if n := testing.AllocsPerRun(100, func() { servers.Of(ctx).Answered(a) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// Every kind and every outcome has its own label.
func TestAnswerLabels(t *testing.T) {
	m := testCollectors()
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
	servers := testCollectors().Servers()
	ctx := onServer("dns://" + b.Name())
	a := &answer.Answer{Result: resolve.Success, Kind: resolve.KindService}
	for b.Loop() {
		servers.Of(ctx).Answered(a)
	}
}
