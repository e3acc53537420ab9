package fastpath_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/hostile"
)

// A name that may be completed goes to the chain; every other name is answered as before.
func TestFastPathLeavesSearchedNames(t *testing.T) {
	t.Setenv("CLUSTERDNS_SEARCH", "names")
	s := chainService(t)
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for name, want := range map[string]reply.Verdict{
		"www.example.com.a.svc.cluster.local.":       reply.HandOver,
		"WWW.example.com.A.svc.cluster.local.":       reply.HandOver,
		"web.a.svc.cluster.local.":                   reply.Answer,
		"no.a.svc.cluster.local.":                    reply.Answer,
		"x.db.a.svc.cluster.local.":                  reply.Answer,
		"_x._tcp.db.a.svc.cluster.local.":            reply.Answer,
		"www.example.com.svc.cluster.local.":         reply.Answer,
		"www.example.com.cluster.local.":             reply.Answer,
		"www.example.com.nowhere.svc.cluster.local.": reply.Answer,
	} {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := fastReply(t, r, s, packet, out); verdict != want {
			t.Errorf("%s: verdict %v, want %v", name, verdict, want)
		}
		if n := testing.AllocsPerRun(100, func() { r.Respond(s.Zones, stranger, packet, out) }); n != 0 {
			t.Errorf("%s costs %v allocations", name, n)
		}
	}
}

// TestP6TypesOfTheZoneAreAnswered: the chain has nothing to add where nobody searches.
func TestP6TypesOfTheZoneAreAnswered(t *testing.T) {
	t.Setenv("CLUSTERDNS_SEARCH", "names")
	s := chainService(t)
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for _, qtype := range []uint16{dns.TypeSOA, dns.TypeDNSKEY, dns.TypeCAA, dns.TypePTR} {
		for _, name := range []string{"www.example.com.a.svc.cluster.local.", "web.a.svc.cluster.local.a.svc.cluster.local."} {
			packet, err := new(dns.Msg).SetQuestion(name, qtype).Pack()
			if err != nil {
				t.Fatal(err)
			}
			if m, verdict := fastReply(t, r, s, packet, out); verdict != reply.Answer || m.Rcode != dns.RcodeNameError {
				t.Errorf("%s %s: verdict %v\n%s", name, dns.TypeToString[qtype], verdict, m)
			}
		}
	}
}

// TestFastPathTakesTheLongestOrigin: with nested origins, a name is searched for in the
// longest one, as by the chain. A random choice would show within a hundred questions.
func TestFastPathTakesTheLongestOrigin(t *testing.T) {
	port := freePort(t)
	conf := ".:PORT {\n bind 127.0.0.1\n kubernetes cluster.local a.svc.cluster.local {\n manifests " + fastManifest(t) + "\n search names\n search_suffixes\n}\n}"
	s, reason := fastService(t, coredns.StartTest(t, fastCorefile(t, conf, port)), port)
	if reason != "" {
		t.Fatal(reason)
	}
	await.True(t, time.Minute, "the cluster is there", func() bool {
		return exchange(t, port, "web.a.svc.a.svc.cluster.local.", dns.TypeA).Rcode == dns.RcodeSuccess
	})
	packet, err := new(dns.Msg).SetQuestion("web.a.a.svc.a.svc.cluster.local.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	want := text(chained(t, s, packet))
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for range 100 {
		if m, _ := fastReply(t, r, s, packet, out); text(m) != want {
			t.Fatalf("got\n%s\nwant\n%s", text(m), want)
		}
	}
	if !strings.Contains(want, "web.a.svc.a.svc.cluster.local.") {
		t.Errorf("the chain does not take the longest origin:\n%s", want)
	}
}

// An answer with completion equals the chain's.
func TestFastPathIsTheChainThatSearches(t *testing.T) {
	t.Setenv("CLUSTERDNS_SEARCH", "names")
	s, random := chainService(t), rand.New(rand.NewPCG(5, 6))
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	answered, completed := 0, 0
	for i := range 20000 {
		packet := fastQuestion(random)
		if i%2 == 0 {
			packet = searchedQuestion(t, random)
		}
		got, verdict := fastReply(t, r, s, packet, out)
		if verdict != reply.Answer {
			continue
		}
		answered++
		if len(got.Answer) > 1 && got.Answer[0].Header().Rrtype == dns.TypeCNAME {
			completed++
		}
		if want := chained(t, s, packet); text(got) != text(want) {
			t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
		}
	}
	if answered < 9000 {
		t.Errorf("only %d questions of 20000 were answered", answered)
	}
	if completed == 0 {
		t.Error("nothing was completed")
	}
}

// searchedQuestion returns a question that a stub resolver sends when it searches, for a
// name of the cluster.
func searchedQuestion(t *testing.T, random *rand.Rand) []byte {
	t.Helper()
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	base := pick("web.a", "WEB.a", "db.a", "big.a", "db-0.db.a", "no.a", "10-1-0-3.db.a", "_http._tcp.web.a", "_tcp.db.a", "out.a", "www.example.com",
		"a", "10-9-8-7.a.pod.cluster.local", "x.elsewhere", "cluster.local", "ns.dns", "x.y", "only.b", "h.deep") + pick("", ".svc", ".svc.cluster.local")
	m := new(dns.Msg).SetQuestion(base+pick(".a.svc.cluster.local.", ".A.svc.Cluster.local."), hostile.Types[random.IntN(3)])
	m.RecursionDesired = random.IntN(8) > 0
	m.CheckingDisabled = random.IntN(8) == 0
	if random.IntN(2) == 0 {
		m.SetEdns0(uint16(512+random.IntN(4000)), random.IntN(8) == 0)
	}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}
