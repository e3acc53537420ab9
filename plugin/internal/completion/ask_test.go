package completion

import (
	"context"
	"slices"
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// replies are the answers of the rest of the server for one name, by type: data, "alias",
// or a response code. A type without an entry gets an empty NOERROR.
type replies map[uint16]string

func (r replies) lookup(_ context.Context, _ request.Request, name string, qtype uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(name, qtype)
	switch text := r[qtype]; text {
	case "":
	case "data":
		m.Answer = []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET}}}
	case "alias":
		m.Answer = []dns.RR{&dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: "other.example."}}
	default:
		m.Rcode = dns.StringToRcode[text]
	}
	return m, nil
}

// searchOver returns a search for a question of a type, in a server with these replies.
func searchOver(t *testing.T, qtype uint16, r replies) *search {
	t.Helper()
	cfg := Config{Mode: Names, View: &resolve.View{}, Lookup: r.lookup}
	q := new(dns.Msg).SetQuestion("www.example.app.svc.cluster.local.", qtype)
	return &search{c: New(cfg), ctx: context.Background(), Question: Question{State: request.Request{W: &test.ResponseWriter{}, Req: q}}}
}

// TestA2Existence covers each pair of replies for A and AAAA, for questions of either type
// and of a third.
func TestA2Existence(t *testing.T) {
	const none, nx, fail = "", "NXDOMAIN", "SERVFAIL"
	for _, tc := range []struct {
		a, aaaa           string
		wantA, want6, txt string // NOERROR with data of the type is "data"
	}{
		{"data", "data", "data", "data", "NOERROR"},
		{"data", none, "data", "NOERROR", "NOERROR"},
		{"data", nx, "data", "NOERROR", "NOERROR"},
		{"data", fail, "data", "SERVFAIL", "NOERROR"},
		{nx, "data", "NOERROR", "data", "NOERROR"},
		{none, none, "NOERROR", "NOERROR", "NOERROR"},
		{nx, nx, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{nx, none, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{none, nx, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{nx, "alias", "NOERROR", "NOERROR", "NOERROR"},
		{"alias", nx, "NOERROR", "NOERROR", "NOERROR"},
		{nx, fail, "NXDOMAIN", "SERVFAIL", "NXDOMAIN"},
		{nx, "REFUSED", "NXDOMAIN", "SERVFAIL", "NXDOMAIN"},
		{fail, nx, "SERVFAIL", "NXDOMAIN", "NXDOMAIN"},
		{none, fail, "NOERROR", "SERVFAIL", "NOERROR"},
		{fail, fail, "SERVFAIL", "SERVFAIL", "NOERROR"},
	} {
		r := replies{dns.TypeA: tc.a, dns.TypeAAAA: tc.aaaa}
		for qtype, want := range map[uint16]string{dns.TypeA: tc.wantA, dns.TypeAAAA: tc.want6, dns.TypeTXT: tc.txt} {
			f := searchOver(t, qtype, r).ask("www.example.")
			got := dns.RcodeToString[f.rcode]
			if len(f.records) > 0 {
				got = "data"
			}
			if got != want {
				t.Errorf("A %q, AAAA %q: %s is %s, want %s", tc.a, tc.aaaa, dns.TypeToString[qtype], got, want)
			}
		}
	}
}

// TestDeniedThirdType: if a server denies a name that lacks the type, A and AAAA decide
// whether it exists.
func TestDeniedThirdType(t *testing.T) {
	for want, r := range map[string]replies{
		"NOERROR":  {dns.TypeTXT: "NXDOMAIN"},
		"NXDOMAIN": {dns.TypeTXT: "NXDOMAIN", dns.TypeA: "NXDOMAIN"},
		"SERVFAIL": {dns.TypeTXT: "NXDOMAIN", dns.TypeA: "SERVFAIL"},
	} {
		if got := dns.RcodeToString[searchOver(t, dns.TypeTXT, r).ask("www.example.").rcode]; got != want {
			t.Errorf("%v: %s, want %s", r, got, want)
		}
	}
}

// B1: a name that has more than the client can take is not looked up for more than that: a
// whole answer of 64 KiB for a reply of 1,232 octets would cost a hundred times as much.
func TestB1LookUpsAreAsLargeAsTheReply(t *testing.T) {
	for _, tc := range []struct {
		network string
		size    uint16 // of the client; 0 without EDNS
		asked   []uint16
	}{
		{"udp", 0, []uint16{1232}},
		{"udp", 512, []uint16{1232}},
		{"udp", 1232, []uint16{1232}},
		{"udp", 4096, []uint16{1232, 4096}},
		{"tcp", 1232, []uint16{1232}},
	} {
		var asked []uint16
		lookup := func(_ context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error) {
			if state.Proto() != tc.network {
				t.Errorf("%+v: asks over %s", tc, state.Proto())
			}
			asked = append(asked, state.Req.IsEdns0().UDPSize())
			m := new(dns.Msg).SetQuestion(name, qtype)
			m.Truncated = true
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET}}}
			return m, nil
		}
		q := new(dns.Msg).SetQuestion("www.example.app.svc.cluster.local.", dns.TypeA)
		if tc.size > 0 {
			q.SetEdns0(tc.size, false)
		}
		w := &test.ResponseWriter{TCP: tc.network == "tcp"}
		s := &search{c: New(Config{Mode: Names, View: &resolve.View{}, Lookup: lookup}), ctx: context.Background(), Question: Question{State: request.Request{W: w, Req: q}}}
		s.budget = newBudget()
		if f := s.ask("www.example."); !f.truncated || len(f.records) != 1 || !slices.Equal(asked, tc.asked) {
			t.Errorf("%+v: asked with %d octets, found %+v", tc, asked, f)
		}
	}
}
