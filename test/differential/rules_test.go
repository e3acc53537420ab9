package differential

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/runtime"
)

// A matcher without an entry would hide a difference that nobody has agreed to.
func TestMatchersHaveEntries(t *testing.T) {
	r, errs := newReasons(readEntries(t), matchers)
	for _, err := range append(errs, r.addTransfers(transferMatchers), r.addBeside()) {
		if err != nil {
			t.Errorf("%s: %v", *differences, err)
		}
	}
}

const listed = `
Words.

## Answers

| # | question | stock | here | why |
|---|---|---|---|---|
| D1 | a name | NODATA | NXDOMAIN | RFC 1 |
| | another ` + "`name`" + ` | A, AAAA | | |

## Beside the answers

| | what | stock | here | why |
|---|---|---|---|---|
| D3 | a metric | | | |

## k8s_external

| # | question | stock | here | why |
|---|---|---|---|---|
| D4 | a zone | | | |

## Properties

| # | property | stock | here |
|---|---|---|---|
| D2 | a word | | |
`

func TestParseEntries(t *testing.T) {
	got, err := parseEntries(listed)
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"D1", "a name", "NODATA", "NXDOMAIN", "RFC 1"},
		{"", "another `name`", "A, AAAA", "", ""},
		{"D3", "a metric", "", "", ""},
		{"D4", "k8s_external: a zone", "", "", ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "## Answers\n\nnone\n\n## Beside the answers\n", "## Answers\n|-|\n| a | b |\n## Beside the answers\n## k8s_external\n"} {
		if _, err := parseEntries(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestNewReasons(t *testing.T) {
	entries, err := parseEntries(listed)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		matchers []matcher
		errors   int
	}{
		{[]matcher{{number: "D1", question: "a name"}, {question: "another"}}, 0},
		{[]matcher{{number: "D2", question: "a name"}}, 1},
		{[]matcher{{number: "D1", question: "another"}}, 1},
		{[]matcher{{number: "D1", question: "a"}, {number: "D1", question: "a name"}}, 1},
	} {
		if _, errs := newReasons(entries, tc.matchers); len(errs) != tc.errors {
			t.Errorf("%v: errors %v, want %d", tc.matchers, errs, tc.errors)
		}
	}
}

// message makes a reply from records.
func message(t *testing.T, answer ...string) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	for _, text := range answer {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func TestEqual(t *testing.T) {
	const (
		a   = "a. 5 IN A 192.0.2.1"
		b   = "a. 5 IN A 192.0.2.2"
		soa = "a. 5 IN SOA b. c. 1 2 3 4 5"
	)
	truncated := message(t, a)
	truncated.Truncated = true
	for _, tc := range []struct {
		name        string
		left, right *dns.Msg
		equal       bool
	}{
		{"order", message(t, a, b), message(t, b, a), true},
		{"twice", message(t, a, a), message(t, a), false},
		{"TTL", message(t, a), message(t, "a. 6 IN A 192.0.2.1"), false},
		{"letter case", message(t, a), message(t, "A. 5 IN A 192.0.2.1"), false},
		{"serial", message(t, soa), message(t, "a. 5 IN SOA b. c. 9 2 3 4 5"), true},
		{"minimum", message(t, soa), message(t, "a. 5 IN SOA b. c. 1 2 3 4 6"), false},
		{"truncated, other records", truncated, &dns.Msg{MsgHdr: truncated.MsgHdr, Answer: message(t, b).Answer}, true},
		{"one truncated", truncated, message(t, a), false},
		{"code", message(t), &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError}}, false},
		{"flag", message(t), &dns.Msg{MsgHdr: dns.MsgHdr{Authoritative: true}}, false},
		{"EDNS", message(t), new(dns.Msg).SetEdns0(1232, false), false},
		{"size of EDNS", new(dns.Msg).SetEdns0(512, false), new(dns.Msg).SetEdns0(1232, false), false},
	} {
		if got := newReply(tc.left).equal(newReply(tc.right)); got != tc.equal {
			t.Errorf("%s: equal is %v", tc.name, got)
		}
	}
}

func TestLoosened(t *testing.T) {
	kept := newReply(message(t, "a.cluster.local. 5 IN A 192.0.2.1"))
	if got := kept.loosened("cluster.local."); !got.equal(kept) {
		t.Errorf("a record of the zone became %s", got)
	}
	mixed := message(t, "a.cluster.local. 5 IN CNAME b.", "b. 7 IN A 192.0.2.1")
	want := newReply(message(t, "a.cluster.local. 0 IN CNAME b.", "b. 0 IN A 192.0.2.1"))
	if got := newReply(mixed).loosened("cluster.local."); !got.equal(want) {
		t.Errorf("got %s", got)
	}
	failed := func(records ...string) *reply {
		m := message(t, records...)
		m.Rcode = dns.RcodeServerFailure
		return newReply(m)
	}
	if got := failed("a.cluster.local. 5 IN CNAME b.").loosened("cluster.local."); !got.equal(failed("a.cluster.local. 0 IN CNAME b.")) {
		t.Errorf("a failure to follow an alias became %s", got)
	}
	for _, record := range []string{"a.cluster.local. 5 IN A 192.0.2.1", "a.cluster.local. 5 IN CNAME b.cluster.local."} {
		if got := failed(record).loosened("cluster.local."); !got.equal(failed(record)) {
			t.Errorf("a failure with %s became %s", record, got)
		}
	}
}

func TestLocate(t *testing.T) {
	c := &corefile{origins: []string{"cluster.local.", "sub.cluster.local."}, reverse: []string{"10.in-addr.arpa."}}
	for name, want := range map[string]place{
		"Web.Shop.SVC.Cluster.Local.": {origin: "cluster.local.", labels: []string{"web", "shop", "svc"}},
		"cluster.local.":              {origin: "cluster.local.", labels: []string{}},
		"a.sub.cluster.local.":        {origin: "sub.cluster.local.", labels: []string{"a"}},
		"1.10.in-addr.arpa.":          {origin: "10.in-addr.arpa.", labels: []string{"1"}, reverse: true},
	} {
		got, ok := c.locate(name)
		if !ok || got.origin != want.origin || got.reverse != want.reverse || !slices.Equal(got.labels, want.labels) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got, ok := c.locate("notcluster.local."); ok {
		t.Errorf("found in %v", got)
	}
}

// A seed means one cluster and one list of questions.
func TestSeed(t *testing.T) {
	for _, from := range []func(uint64) []runtime.Object{generate, generateBeside} {
		if diff := cmp.Diff(from(7), from(7)); diff != "" {
			t.Errorf("generated otherwise:\n%s", diff)
		}
	}
	ask := func() []string {
		var all []string
		for q := range newQuiz(&corefile{}, 1, []string{"web.zoo.svc.cluster.local.", "cluster.local."}).questions(500) {
			all = append(all, q.String())
		}
		return all
	}
	first := ask()
	if diff := cmp.Diff(first, ask()); diff != "" || len(first) < 500 {
		t.Errorf("%d questions, asked otherwise:\n%s", len(first), diff)
	}
}

// What a client cannot send is not asked, and what a server repeats is spelled as
// it was sent.
func TestQuestionsCanBeAsked(t *testing.T) {
	for q := range newQuiz(&corefile{}, 1, []string{"_http._tcp.web.zoo.svc.cluster.local.", "1.0.96.10.in-addr.arpa."}).questions(5000) {
		wire, err := q.pack(1)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if got := m.Question[0].Name; got != q.name {
			t.Errorf("%q is %q on the wire", q.name, got)
		}
	}
}
