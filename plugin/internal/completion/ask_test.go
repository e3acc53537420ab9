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
	s := &search{c: New(cfg), ctx: context.Background(), Question: Question{State: request.Request{W: &test.ResponseWriter{}, Req: q}}}
	s.budget = newBudget()
	return s
}

// TestA2Existence covers each pair of replies for A and AAAA, for questions of either type
// and of a third.
func TestA2Existence(t *testing.T) {
	const none, nx, fail, refused = "", "NXDOMAIN", "SERVFAIL", "REFUSED"
	for _, tc := range []struct {
		a, aaaa string
		want    existence // of a name without data of the question's type
	}{
		{"data", none, exists},
		{"data", nx, exists},
		{"data", fail, exists},
		{nx, "data", exists},
		{"alias", nx, exists},
		{nx, "alias", exists},
		{none, none, exists},
		{none, fail, exists},
		{fail, fail, exists},
		{refused, none, exists},
		{nx, nx, absent},
		{nx, none, silenced},
		{none, nx, silenced},
		{nx, fail, silenced},
		{refused, nx, silenced},
	} {
		r := replies{dns.TypeA: tc.a, dns.TypeAAAA: tc.aaaa}
		for qtype, own := range map[uint16]string{dns.TypeA: tc.a, dns.TypeAAAA: tc.aaaa, dns.TypeTXT: none} {
			f := searchOver(t, qtype, r).ask("www.example.")
			want := finding{rcode: dns.StringToRcode[own], existence: tc.want} // data is NOERROR
			if len(f.records) > 0 {
				want.existence = exists
			}
			if f.rcode != want.rcode || f.existence != want.existence || (len(f.records) > 0) != (own == "data") {
				t.Errorf("A %q, AAAA %q: %s is %+v, want %+v", tc.a, tc.aaaa, dns.TypeToString[qtype], f, want)
			}
		}
	}
}

// Some servers deny a name that lacks the type: whether it exists, A and AAAA decide.
func TestDeniedThirdType(t *testing.T) {
	for _, tc := range []struct {
		r    replies
		want existence
	}{
		{replies{dns.TypeTXT: "NXDOMAIN"}, exists},
		{replies{dns.TypeTXT: "NXDOMAIN", dns.TypeA: "NXDOMAIN", dns.TypeAAAA: "NXDOMAIN"}, absent},
		{replies{dns.TypeTXT: "NXDOMAIN", dns.TypeA: "SERVFAIL"}, exists},
		{replies{dns.TypeTXT: "NXDOMAIN", dns.TypeA: "NXDOMAIN"}, silenced},
	} {
		if f := searchOver(t, dns.TypeTXT, tc.r).ask("www.example."); f.existence != tc.want || f.rcode != dns.RcodeNameError {
			t.Errorf("%v: %+v, want %v", tc.r, f, tc.want)
		}
	}
}

// A response code that needs EDNS becomes SERVFAIL, which every client has room for.
func TestExtendedResponseCode(t *testing.T) {
	if f := searchOver(t, dns.TypeA, replies{dns.TypeA: "BADCOOKIE"}).ask("www.example."); f.rcode != dns.RcodeServerFailure {
		t.Errorf("%+v", f)
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
