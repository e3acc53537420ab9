package clusterdns

import (
	"math/rand/v2"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/udp"
)

// A name that may be completed is the chain's, and nothing else that was not before.
func TestFastPathLeavesSearchedNames(t *testing.T) {
	useRegistry(t)
	t.Setenv(searchVariable, "names")
	s := chainService(t)
	r, out := udp.NewResponder(), make([]byte, 0, 1<<17)
	for name, want := range map[string]udp.Verdict{
		"www.example.com.a.svc.cluster.local.":       udp.HandOver,
		"WWW.example.com.A.svc.cluster.local.":       udp.HandOver,
		"web.a.svc.cluster.local.":                   udp.Answer,
		"no.a.svc.cluster.local.":                    udp.Answer,
		"x.db.a.svc.cluster.local.":                  udp.Answer,
		"_x._tcp.db.a.svc.cluster.local.":            udp.Answer,
		"www.example.com.svc.cluster.local.":         udp.Answer,
		"www.example.com.cluster.local.":             udp.Answer,
		"www.example.com.nowhere.svc.cluster.local.": udp.Answer,
	} {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := fastReply(t, r, s, packet, out); verdict != want {
			t.Errorf("%s: verdict %v, want %v", name, verdict, want)
		}
		if n := testing.AllocsPerRun(100, func() { r.Respond(s, packet, out) }); n != 0 {
			t.Errorf("%s costs %v allocations", name, n)
		}
	}
}

// What is answered with completion is answered as by the chain.
func TestFastPathIsTheChainThatSearches(t *testing.T) {
	useRegistry(t)
	t.Setenv(searchVariable, "names")
	s, random := chainService(t), rand.New(rand.NewPCG(5, 6))
	r, out := udp.NewResponder(), make([]byte, 0, 1<<17)
	answered := 0
	for range 5000 {
		packet := fastQuestion(random)
		got, verdict := fastReply(t, r, s, packet, out)
		if verdict != udp.Answer {
			continue
		}
		answered++
		if want := chained(t, s, packet); text(got) != text(want) {
			t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
		}
	}
	if answered < 1000 {
		t.Errorf("only %d questions of 5000 were answered", answered)
	}
}
