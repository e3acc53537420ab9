package script

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// The checks that scripts rely on must be able to fail.
func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		args  string
		spoil func(r *dns.Msg)
		wrong bool
	}{
		"good":              {args: "a.test A", spoil: func(*dns.Msg) {}},
		"good without EDNS": {args: "+noedns a.test A", spoil: func(*dns.Msg) {}},
		"ID":                {args: "a.test A", spoil: func(r *dns.Msg) { r.Id++ }, wrong: true},
		"letter case":       {args: "a.test A", spoil: func(r *dns.Msg) { r.Question[0].Name = "A.test." }, wrong: true},
		"type":              {args: "a.test A", spoil: func(r *dns.Msg) { r.Question[0].Qtype = dns.TypeAAAA }, wrong: true},
		"no question":       {args: "a.test A", spoil: func(r *dns.Msg) { r.Question = nil }, wrong: true},
		"no EDNS":           {args: "a.test A", spoil: func(r *dns.Msg) { r.Extra = nil }, wrong: true},
		"EDNS":              {args: "+noedns a.test A", spoil: func(r *dns.Msg) { r.SetEdns0(bufsize, false) }, wrong: true},
		"too large":         {args: "+noedns a.test A", spoil: enlarge, wrong: true},
		"large over TCP":    {args: "+tcp +noedns a.test A", spoil: enlarge},
		"large with EDNS":   {args: "+bufsize=4096 a.test A", spoil: enlarge},
	} {
		q, err := parseQuery(strings.Fields(tc.args))
		if err != nil {
			t.Fatal(err)
		}
		m := q.message()
		r := m.Copy()
		tc.spoil(r)
		wire, err := r.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.check(m, wire); (err != nil) != tc.wrong {
			t.Errorf("%s: error %v, want one: %v", name, err, tc.wrong)
		}
	}
}

// enlarge makes a message larger than 512 bytes.
func enlarge(r *dns.Msg) {
	for range 60 {
		r.Answer = append(r.Answer, &dns.A{Hdr: dns.RR_Header{Name: "a.test.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: []byte{192, 0, 2, 1}})
	}
}

// A replay drops the old answers and keeps comments and questions.
func TestReplay(t *testing.T) {
	const before = "# One.\n$ dig a\nold\nold\n\n# Two,\n# three.\n$ dig b\n$ dig c\nold\n"
	const want = "# One.\n$ dig a\nnew dig a\n\n# Two,\n# three.\n$ dig b\nnew dig b\n\n$ dig c\nnew dig c\n"
	got, err := replay(before, func(line string) (string, error) { return "new " + line + "\n", nil })
	if err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
