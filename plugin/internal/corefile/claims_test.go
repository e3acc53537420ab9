package corefile

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/cost"
)

// conditionsOf returns the conditions of lines of one plugin ahead of cluster.local.
func conditionsOf(t *testing.T, lines string) (*Conditions, error) {
	t.Helper()
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(".:53 {\n"+lines+"\n}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	origin, err := resolve.ParseOrigin("cluster.local")
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(lines, " ")
	b := &Block{ServerBlock: blocks[0], Configs: []*dnsserver.Config{{Zone: "."}}}
	return b.Conditions(handlers(name), []resolve.Origin{origin})
}

// TestClaims judges questions by the lines of each plugin.
func TestClaims(t *testing.T) {
	for _, tc := range []struct {
		lines, name string
		qtype       uint16
		client      string
		want        bool
	}{
		{"template ANY AAAA .", "a.svc.cluster.local.", dns.TypeAAAA, "10.0.0.1", true},
		{"template ANY AAAA .", "a.svc.cluster.local.", dns.TypeA, "10.0.0.1", false},
		{"template IN ANY . {\n match ^b\n fallthrough\n}", "B.svc.cluster.local.", dns.TypeA, "10.0.0.1", true},
		{"template IN ANY . {\n match ^b\n fallthrough\n}", "a.svc.cluster.local.", dns.TypeA, "10.0.0.1", false},
		{"template IN ANY . {\n match ^b\n fallthrough\n}", `a\.b.svc.cluster.local.`, dns.TypeA, "10.0.0.1", true},
		{"rewrite name a.example b.example", "A.example.", dns.TypeA, "10.0.0.1", true},
		{"rewrite name a.example b.example", "x.a.example.", dns.TypeA, "10.0.0.1", false},
		{"rewrite type AAAA A", "a.example.", dns.TypeAAAA, "10.0.0.1", true},
		{"acl {\n allow net 10.0.0.0/8\n block\n}", "a.example.", dns.TypeA, "10.0.0.1", false},
		{"acl {\n allow net 10.0.0.0/8\n block\n}", "a.example.", dns.TypeA, "11.0.0.1", true},
		{"acl {\n block type TXT net fe80::/10\n}", "a.example.", dns.TypeTXT, "fe80::1%eth0", true},
		{"acl {\n block type TXT net fe80::/10\n}", "a.example.", dns.TypeA, "fe80::1%eth0", false},
		{"minimal", "a.example.", dns.TypeSRV, "10.0.0.1", true},
		{"log svc.cluster.local", "a.svc.cluster.local.", dns.TypeA, "10.0.0.1", true},
		{"log example.com {\n class denial\n}", "a.example.com.", dns.TypeA, "10.0.0.1", true},
		{"log svc.cluster.local", "a.pod.cluster.local.", dns.TypeA, "10.0.0.1", false},
	} {
		c, err := conditionsOf(t, tc.lines)
		if err != nil {
			t.Errorf("%s: %v", tc.lines, err)
			continue
		}
		q := answer.Question{Type: tc.qtype}
		if _, err := q.ParseText(tc.name); err != nil {
			t.Fatal(err)
		}
		if got := c.Claimed(&q, netip.MustParseAddr(tc.client)); got != tc.want {
			t.Errorf("%s: %s of %s for %s is claimed: %v", tc.lines, dns.TypeToString[tc.qtype], tc.name, tc.client, got)
		}
	}
}

// TestNoConditions has lines that concern every question, or that nobody can judge.
func TestNoConditions(t *testing.T) {
	for lines, reason := range map[string]string{
		"template ANY ANY .":                  "for the root zone, which contains all of ours",
		"rewrite edns0 nsid set":              "changes the EDNS options",
		"rewrite unheardof a b":               `with the rule "unheardof a b", which is of an unknown kind`,
		"rewrite name fuzzy a b":              "unknown way",
		"rewrite name regex (.*) {1}":         "matches all names",
		"rewrite ttl suffix cluster.local. 9": "matches all names",
		"rewrite type UNHEARDOF A":            "unknown type",
		"acl {\n drop\n}":                     "refuses everything",
		"acl {\n block net ::ffff:1.2.3.4\n}": "cannot be judged",
		"header {\n response clear aa\n}":     "with the rule response clear aa",
		"log":                                 "logging successful answers",
	} {
		if _, err := conditionsOf(t, lines); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", lines, err, reason)
		}
	}
}

// TestClaimsAllocateNothing bounds what a question costs behind the usual lines.
func TestClaimsAllocateNothing(t *testing.T) {
	c, err := conditionsOf(t, "rewrite name regex ^old[.](.*)[.]example$ new.{1}")
	if err != nil {
		t.Fatal(err)
	}
	var q answer.Question
	if _, err := q.ParseText("web.a.svc.cluster.local."); err != nil {
		t.Fatal(err)
	}
	client := netip.MustParseAddr("10.0.0.1")
	if n := cost.Allocations(100, func() { c.Claimed(&q, client) }); n > 0 {
		t.Errorf("%v allocations for a question", n)
	}
}
