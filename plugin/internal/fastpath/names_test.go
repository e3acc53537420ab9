package fastpath_test

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// TestFastPathLeavesBlocksTheirNames asks for names that belong to a more specific block.
func TestFastPathLeavesBlocksTheirNames(t *testing.T) {
	s := chainService(t)
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for name, want := range map[string]reply.Verdict{
		"web.a.svc.cluster.local.":         reply.Answer,
		"no.web.a.svc.cluster.local.":      reply.Answer,
		"elsewhere.svc.cluster.local.":     reply.HandOver,
		"x.elsewhere.svc.cluster.local.":   reply.HandOver,
		"xelsewhere.svc.cluster.local.":    reply.Answer,
		"1.2.3.9.in-addr.arpa.":            reply.HandOver,
		"1.0.3.10.in-addr.arpa.":           reply.Answer,
		"1.2.3.8.in-addr.arpa.":            reply.HandOver, // falls through
		"www.example.com.":                 reply.Outside,
		"out.a.svc.cluster.local.":         reply.HandOver,
		"x.EXAMPLE.A.svc.cluster.local.":   reply.Answer,
		"x.elsewhere.SVC.cluster.local.":   reply.HandOver,
		"1.2.3.9.IN-ADDR.arpa.":            reply.HandOver,
		"cluster.local.example.com.":       reply.Outside,
		"web.a.svc.cluster.local.a.local.": reply.Outside,
	} {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := fastReply(t, r, s, packet, out); verdict != want {
			t.Errorf("%s: verdict %v, want %v", name, verdict, want)
		}
	}
}

// The whole fast path allocates nothing.
func TestFastPathAllocatesNothing(t *testing.T) {
	s := chainService(t)
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for _, name := range []string{"web.a.svc.cluster.local.", "db.a.svc.cluster.local.", "www.example.com.a.svc.cluster.local."} {
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		m.SetEdns0(1232, true)
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { r.Respond(s.Zones, stranger, packet, out) }); n != 0 {
			t.Errorf("%s costs %v allocations", name, n)
		}
	}
}
