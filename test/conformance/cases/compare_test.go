package cases

import (
	"slices"
	"strings"
	"testing"

	coretest "github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

// answer is what a server sends, as text.
type answer struct {
	rcode                         int
	answers, authority, additions []string
}

func (a answer) message(t *testing.T) *dns.Msg {
	t.Helper()
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: a.rcode}}
	m.Answer, m.Ns, m.Extra = parse(t, a.answers), parse(t, a.authority), parse(t, a.additions)
	m.SetEdns0(1232, false)
	return m
}

func parse(t *testing.T, texts []string) []dns.RR {
	t.Helper()
	records, err := parseRecords(texts)
	if err != nil {
		t.Fatal(err)
	}
	var rrs []dns.RR
	for _, r := range records {
		if r.anyTTL {
			r.Header().Ttl = anyTTL
		}
		rrs = append(rrs, r.RR)
	}
	return rrs
}

// anyTTL is the original's value for "*".
const anyTTL = 303

// A comparison must be able to fail: most rows break one rule. The original must agree on
// each.
func TestCompareSections(t *testing.T) {
	two := Case{Rcode: "NOERROR", Answers: []string{"a.b. 5 IN A 10.0.0.1", "a.b. 5 IN A 10.0.0.2"}}
	soa := Case{Rcode: "NXDOMAIN", Authority: []string{"b. * IN SOA ns.b. root.b. 1 2 3 4 5"}}
	srv := Case{Rcode: "NOERROR", Answers: []string{"a.b. * IN SRV 0 50 80 c.b."}, Additional: []string{"c.b. 5 IN A 10.0.0.1"}}
	srvReply := []string{"a.b. 5 IN SRV 0 50 80 c.b."}
	const noError, nxDomain = dns.RcodeSuccess, dns.RcodeNameError
	for _, row := range []struct {
		name  string
		want  Case
		got   answer
		equal bool
	}{
		{"same", two, answer{noError, two.Answers, nil, nil}, true},
		{"other order", two, answer{noError, []string{two.Answers[1], two.Answers[0]}, nil, nil}, true},
		{"other status", two, answer{nxDomain, two.Answers, nil, nil}, false},
		{"one missing", two, answer{noError, two.Answers[:1], nil, nil}, false},
		{"one twice", two, answer{noError, []string{two.Answers[0], two.Answers[0]}, nil, nil}, false},
		{"surplus authority", two, answer{noError, two.Answers, []string{"b. 5 IN NS ns.b."}, nil}, false},
		{"surplus additional", two, answer{noError, two.Answers, nil, []string{"ns.b. 5 IN A 10.0.0.3"}}, false},
		{"other TTL", two, answer{noError, []string{"a.b. 6 IN A 10.0.0.1", "a.b. 6 IN A 10.0.0.2"}, nil, nil}, false},
		{"other letter case", two, answer{noError, []string{"A.b. 5 IN A 10.0.0.1", "A.b. 5 IN A 10.0.0.2"}, nil, nil}, false},
		{"other type", two, answer{noError, []string{two.Answers[0], "a.b. 5 IN AAAA ::1"}, nil, nil}, false},
		{"other serial and times", soa, answer{nxDomain, nil, []string{"b. 9 IN SOA ns.b. you.b. 9 9 9 9 9"}, nil}, true},
		{"other primary server", soa, answer{nxDomain, nil, []string{"b. 9 IN SOA n.b. root.b. 1 2 3 4 5"}, nil}, false},
		{"other owner of SOA", soa, answer{nxDomain, nil, []string{"c. 9 IN SOA ns.b. root.b. 1 2 3 4 5"}, nil}, false},
		{"target with address", srv, answer{noError, srvReply, nil, srv.Additional}, true},
		{"target without address", srv, answer{noError, srvReply, nil, nil}, false},
		{"other weight", srv, answer{noError, []string{"a.b. 5 IN SRV 0 51 80 c.b."}, nil, srv.Additional}, false},
		{"other target", srv, answer{noError, []string{"a.b. 5 IN SRV 0 50 80 d.b."}, nil, srv.Additional}, false},
		{"other section", srv, answer{noError, srvReply, srv.Additional, nil}, false},
	} {
		err := row.want.compare(row.got.message(t))
		if (err == nil) != row.equal {
			t.Errorf("%s: got %v, want equal = %v", row.name, err, row.equal)
		}
		if original := compareAsOriginal(t, row.want, row.got.message(t)); (original == nil) != row.equal {
			t.Errorf("%s: original got %v, want equal = %v", row.name, original, row.equal)
		}
	}
}

func compareAsOriginal(t *testing.T, c Case, reply *dns.Msg) error {
	t.Helper()
	reply.Extra = withoutOPT(reply.Extra)
	return coretest.SortAndCheck(reply, coretest.Case{
		Rcode:  dns.StringToRcode[c.Rcode],
		Answer: parse(t, c.Answers),
		Ns:     parse(t, c.Authority),
		Extra:  parse(t, c.Additional),
	})
}

func TestCompareTarget(t *testing.T) {
	want := Case{Compare: "regex", Rcode: "NOERROR", AnswerCount: 1, AdditionalCount: 1, TargetRegex: `^[0-9-]+\.b\.$`}
	srv, address := []string{"b. 5 IN SRV 0 1 2 1-2.b."}, []string{"1-2.b. 5 IN A 10.0.0.1"}
	for _, row := range []struct {
		name  string
		got   answer
		equal bool
	}{
		{"matches", answer{0, srv, nil, address}, true},
		{"target does not match", answer{0, []string{"b. 5 IN SRV 0 1 2 one.b."}, nil, address}, false},
		{"owner does not match", answer{0, srv, nil, []string{"one.b. 5 IN A 10.0.0.1"}}, false},
		{"two answers", answer{0, slices.Repeat(srv, 2), nil, address}, false},
		{"no additional record", answer{0, srv, nil, nil}, false},
		{"no SRV record", answer{0, []string{"b. 5 IN A 10.0.0.1"}, nil, address}, false},
		{"other status", answer{dns.RcodeServerFailure, srv, nil, address}, false},
	} {
		if err := want.compare(row.got.message(t)); (err == nil) != row.equal {
			t.Errorf("%s: got %v, want equal = %v", row.name, err, row.equal)
		}
	}
}

func TestCompareTransfer(t *testing.T) {
	const soa, other = "b. 5 IN SOA ns.b. root.b. 1 2 3 4 5", "b. 9 IN SOA n.b. root.b. 9 9 9 9 9"
	const srv = "_p._tcp.b. 5 IN SRV 0 50 80 1-2-3-4.b."
	want := Case{Compare: transferRule, Rcode: "NOERROR", Answers: []string{
		soa, "a.b. 5 IN A 10.0.0.1", "a.b. 5 IN A 10.0.0.2", "a.b. 5 IN AAAA ::1", srv, "1-2-3-4.b. 5 IN A 1.2.3.4", soa,
	}}
	// with returns the expected answer with one record replaced.
	with := func(i int, text ...string) answer {
		return answer{answers: slices.Replace(slices.Clone(want.Answers), i, i+1, text...)}
	}
	for _, row := range []struct {
		name  string
		got   answer
		equal bool
	}{
		{"same", with(0, soa), true},
		{"other serial and times", with(0, other), true},
		{"other address", with(1, "a.b. 0 IN A 10.0.0.9"), true},
		{"other address in a name", with(5, "5-6-7-8.b. 5 IN A 5.6.7.8"), true},
		{"other address in a target", with(4, "_p._tcp.b. 5 IN SRV 0 50 80 5-6-7-8.b."), true},
		{"no SOA first", with(0), false},
		{"no SOA last", with(6), false},
		{"one missing", with(1), false},
		{"one surplus", with(1, want.Answers[1], want.Answers[1]), false},
		{"other owner", with(1, "c.b. 5 IN A 10.0.0.1"), false},
		{"other IPv6 address", with(3, "a.b. 5 IN AAAA ::2"), false},
		{"other weight", with(4, strings.Replace(srv, "50", "51", 1)), false},
		{"other port", with(4, strings.Replace(srv, "80", "81", 1)), false},
		{"other target", with(4, strings.Replace(srv, "1-2-3-4", "c", 1)), false},
		{"nothing", answer{}, false},
	} {
		if err := want.compare(row.got.message(t)); (err == nil) != row.equal {
			t.Errorf("%s: got %v, want equal = %v", row.name, err, row.equal)
		}
	}
}

func TestCompareKnowsItsRules(t *testing.T) {
	c := Case{Compare: "none", Rcode: "NOERROR"}
	if err := c.compare(new(dns.Msg)); err == nil || !strings.Contains(err.Error(), c.Compare) {
		t.Errorf("got error %v, want one about %s", err, c.Compare)
	}
}
