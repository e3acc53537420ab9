package documents

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// A rule must be able to fail: each row is a Corefile, or just not one.
func TestLooksLikeCorefile(t *testing.T) {
	for text, looks := range map[string]bool{
		".:53 {\n    errors\n}\n":                         true,
		". {\n}\n":                                        true,
		"example.org {   # comment\n}\n":                  true,
		"a.example, b.example {\n}\n":                     true,
		"local:1053 {\n}\n":                               true,
		"tls://local {\n}\n":                              true,
		"10.0.0.0/24 2001:db8::/32 {\n}\n":                true,
		".:{$PORT} {\n}\n":                                true,
		"    example.org {\n    }\n":                      true,
		".:53\nclusterdns cluster.local\n":                true,
		"kubernetes cluster.local {\n  ttl 5\n}\n":        true,
		"clusterdns {\n  ttl 5\n}\n":                      true,
		"kubernetes [ZONES...] {\n  ttl SECONDS\n}\n":     false,
		"forward . /etc/resolv.conf {\n  prefer_udp\n}":   false,
		"# .:53 {\n":                                      false,
		"errors\nkubernetes\nforward\n":                   false,
		"plugin/clusterdns/   the CoreDNS side\n":         false,
		"client --> clusterdns.ServeDNS --> Answer\n":     false,
		"resources: [path/to/deploy/kubernetes]\n":        false,
		"func main() {\n\tx := T{}\n\tfor {\n\t}\n}\n":    false,
		"{\n  \"metadata\": {\n  }\n}\n":                  false,
		"metadata: {\n}\n":                                false,
		"dig @127.0.0.1 -p 1053 cluster.local   # {\n":    false,
		"make run     # starts it on port 1053, with {\n": false,
	} {
		if got := looksLikeCorefile(text); got != looks {
			t.Errorf("looks like a Corefile = %v, want %v:\n%s", got, looks, text)
		}
	}
}

func TestFences(t *testing.T) {
	const document = "text ```inline```\n```corefile\n. {\n    a\n}\n```\n" +
		"* item\n  ``` corefile title\n  b\n    c\n\n  ```\n" +
		"~~~\n```\n~~~\n````md\n```corefile\n```\n````\n"
	want := []fence{
		{2, "corefile", ". {\n    a\n}\n"},
		{8, "corefile", "b\n  c\n\n"},
		{13, "", "```\n"},
		{16, "md", "```corefile\n```\n"},
	}
	got, err := fences(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(fence{})); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if _, err := fences("```\na\n~~~\n"); err == nil {
		t.Error("a block that does not end was taken")
	}
}

func TestServings(t *testing.T) {
	const service = "kubernetes.default.svc."
	for corefile, want := range map[string]struct {
		qname, address string
		exists         bool
	}{
		".:53 {\n kubernetes cluster.local in-addr.arpa {\n pods insecure\n }\n}": {service + "cluster.local.", "127.0.0.1:53", true},
		"Cluster.Local:1053 {\n bind 127.0.0.2\n clusterdns\n}":                   {service + "cluster.local.", "127.0.0.2:1053", true},
		"a.example:54 b.example:55 {\n clusterdns 10.0.0.0/8 b.example\n}":        {service + "b.example.", "127.0.0.1:55", true},
		"tls://.:853 dns://. {\n bind lo ::1\n clusterdns a.example\n}":           {service + "a.example.", "[::1]:53", true},
		"example.org:1053 {\n bind 0.0.0.0\n whoami\n}":                           {"example.org.", "127.0.0.1:1053", false},
	} {
		servings, err := newServings(corefile)
		if err != nil || len(servings) != 1 {
			t.Errorf("%d questions, %v, want one for:\n%s", len(servings), err, corefile)
			continue
		}
		s := servings[0]
		address := s.address.String()
		if s.qname != want.qname || address != want.address || s.exists != want.exists {
			t.Errorf("%s at %s (must exist: %v), want %v for:\n%s", s.qname, address, s.exists, want, corefile)
		}
	}
}

func TestServingsRefuses(t *testing.T) {
	for name, corefile := range map[string]string{
		"nothing":        "",
		"other zone":     "a.example:53 {\n clusterdns b.example\n}",
		"no UDP":         "tls://. {\n clusterdns cluster.local\n}",
		"unended braces": ".:53 {\n clusterdns cluster.local {\n",
	} {
		if servings, err := newServings(corefile); err == nil {
			t.Errorf("%s: %v, want an error", name, servings)
		}
	}
}

func TestParseQuestion(t *testing.T) {
	for line, want := range map[string]string{
		"a.example":             "a.example. A",
		"a.example # comment":   "a.example. A",
		"a.example. SRV # A":    "a.example. SRV",
		"-x 192.0.2.1":          "1.2.0.192.in-addr.arpa. PTR",
		"":                      "",
		"# a.example":           "",
		"-x a.example":          "",
		"-x":                    "",
		"a.example NONSENSE":    "",
		"dig @192.0.2.1 a.exam": "",
	} {
		question, err := parseQuestion(line)
		got := question.Name + " " + dns.TypeToString[question.Qtype]
		if (err == nil) != (want != "") || (err == nil && got != want) {
			t.Errorf("%q: %s, %v, want %q", line, got, err, want)
		}
	}
}

// answer is what a server sends, as text.
type answer struct {
	rcode              int
	answers, authority []string
}

func (a answer) message(t *testing.T) *dns.Msg {
	t.Helper()
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: a.rcode}, Answer: parse(t, a.answers), Ns: parse(t, a.authority)}
}

func parse(t *testing.T, texts []string) []dns.RR {
	t.Helper()
	rrs := make([]dns.RR, len(texts))
	for i, text := range texts {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		rrs[i] = rr
	}
	return rrs
}

func TestPromise(t *testing.T) {
	known := promise{rdata: map[string]string{"A": "10.0.0.1"}}
	unknown := promise{rcode: dns.RcodeNameError, rdata: map[string]string{"A": ""}}
	record, soa := []string{"a.b. 5 IN A 10.0.0.1"}, []string{"b. 5 IN SOA ns.b. root.b. 1 2 3 4 5"}
	for name, row := range map[string]struct {
		promise promise
		got     answer
		kept    bool
	}{
		"answer":          {known, answer{answers: record}, true},
		"more answers":    {known, answer{answers: append([]string{"a.b. 5 IN A 10.0.0.2"}, record...)}, true},
		"other answer":    {known, answer{answers: []string{"a.b. 5 IN A 10.0.0.2"}}, false},
		"no answer":       {known, answer{authority: soa}, false},
		"other status":    {known, answer{rcode: dns.RcodeServerFailure, answers: record}, false},
		"denied":          {unknown, answer{rcode: dns.RcodeNameError, authority: soa}, true},
		"without SOA":     {unknown, answer{rcode: dns.RcodeNameError}, false},
		"no data":         {unknown, answer{authority: soa}, false},
		"denied, and yet": {unknown, answer{rcode: dns.RcodeNameError, answers: record, authority: soa}, false},
	} {
		err := row.promise.compare(row.got.message(t), "A")
		if (err == nil) != row.kept {
			t.Errorf("%s: %v, want it kept: %v", name, err, row.kept)
		}
	}
}
