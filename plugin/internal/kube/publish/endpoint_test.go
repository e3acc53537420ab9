package publish

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

func TestDNSEndpoints(t *testing.T) {
	w := newWorld(t)
	w.apply(`{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [
  {dnsName: a.example.org, recordType: A, targets: [192.0.2.1, 192.0.2.1, "2001:db8::1", bad]},
  {dnsName: A.example.org., recordType: AAAA, targets: ["2001:db8::2", 192.0.2.2]},
  {dnsName: a.example.org, recordType: TXT, targets: [one]},
  {dnsName: c.example.org, recordType: CNAME, targets: [there.example.com, second.example.com]},
  {dnsName: loc.example.org, recordType: LOC, targets: [elsewhere.example.org]},
  {dnsName: _t.example.org, recordType: TXT, targets: [two]},
  {dnsName: "a b", recordType: TXT, targets: [two]},
  {dnsName: "", recordType: A, targets: [192.0.2.1]}]}}`)
	w.want("a.example.org.", `192.0.2.1 2001:db8::2 "one"`, "c.example.org.", "there.example.com.", "loc.example.org.", "nothing", "_t.example.org.", `"two"`)
}

// The data of MX and SRV records is as in a zone file: numbers, then the name of a host.
func TestDNSEndpointsOfServices(t *testing.T) {
	w := newWorld(t)
	object := `{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: %s, recordType: %s, targets: [%s]}]}}`
	for _, tc := range []struct{ rrtype, targets, want string }{
		{"MX", `"20 Backup.example.org.", "10 mail.example.org", "10  mail.example.org"`, "MX 20 backup.example.org. MX 10 mail.example.org."},
		{"MX", `"0 ."`, "MX 0 ."}, // RFC 7505: no mail is taken
		{"MX", `mail.example.org, "mail.example.org 10", "65536 a", "-1 a", "10 192.0.2.1", "10 2001:db8::1", "10 a b", "10 a..b", "10 a ; b", "10 *.a", "10 a\n$INCLUDE b", "10", ""`, "nothing"},
		{"SRV", `"0 5 5060 sip.example.org", "1 0 0 ."`, "SRV 0 5 5060 sip.example.org. SRV 1 0 0 ."},
		{"SRV", `"5 5060 sip.example.org", "0 5 70000 sip.example.org", "0 5 5060 192.0.2.1.", "0 5 5060"`, "nothing"},
		{"TXT", `"", "a;b", "c"`, `"" "a;b" "c"`},
		{"mx", `"10 mail.example.org"`, "nothing"},
		{"PTR", "a.Example.org, b.example.org.", "PTR a.example.org. PTR b.example.org."},
		{"PTR", "., '. .', a b, 192.0.2.1, '*.example.org', '', '\"a\"'", "nothing"},
		{"NAPTR", `'100 50 "s" "SIP+D2U" "" _sip._udp.example.org.', '10 1 u E2U+sip "!^(\\+1.*)$!sip:\\1@example.org!" .'`,
			`NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.org. NAPTR 10 1 "u" "E2U+sip" "!^(\\+1.*)$!sip:\\1@example.org!" .`},
		{"NAPTR", `'10 1 "a\"b c" \100\ x "" .'`, `NAPTR 10 1 "a\"b c" "d x" "" .`},
		{"NAPTR", `'10 1 "U" "" "!^.*$!x!"', '10 1 "U" "" "x .', '10 1 "U"x "" "" .', '10 1 "U" "\256" "" .', '10 1 "U" "" "" 192.0.2.1', '65536 1 "" "" "" .', '1 1 "" "" \'`, "nothing"},
		{"NAPTR", "'1 1 \"" + strings.Repeat("x", 256) + "\" \"\" \"\" .'", "nothing"},
	} {
		for _, name := range []string{"example.org", "_sip._udp.example.org", "'*.example.org'"} {
			w.apply(fmt.Sprintf(object, name, tc.rrtype, tc.targets))
			w.want(strings.Trim(name, "'")+".", tc.want)
		}
	}
}

// NS records delegate a zone. A wildcard cannot (RFC 4592 4.2).
func TestDNSEndpointsDelegate(t *testing.T) {
	const object = `{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: %s, recordType: NS, targets: [%s]}]}}`
	w := newWorld(t)
	w.apply(fmt.Sprintf(object, "sub.example.org", "a.example.net, ns.Sub.example.org., ., 192.0.2.1, 1 a.example.net"))
	w.want("sub.example.org.", "NS a.example.net. NS ns.sub.example.org.")
	if !w.store.Load().HasDelegations() {
		t.Error("the snapshot has no delegation")
	}
	w.apply(fmt.Sprintf(object, "'*.example.org'", "a.example.net"))
	w.want("sub.example.org.", "nothing", "*.example.org.", "nothing")
	if w.store.Load().HasDelegations() {
		t.Error("the snapshot has a delegation")
	}
	if got := w.objects[ID{"DNSEndpoint", cluster.Key{Namespace: "town", Name: "a"}}].problems; len(got) != 1 || !strings.Contains(got[0], "cannot delegate") {
		t.Errorf("problems %q", got)
	}
}

// A CNAME record beside others, or a second one, costs a line that says what is left out.
func TestDNSEndpointsWithAliasesBesideOthers(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct{ rrtype, targets, want, problem string }{
		{"TXT", "one", "there.example.com.", "of which the others are left out"},
		{"A", "192.0.2.1", "192.0.2.1", "of which the CNAME record is left out"},
		{"CNAME", "second.example.com", "there.example.com.", `spec.endpoints[1].targets[0] "second.example.com" is left out: a name has one CNAME record`},
		{"CNAME", "There.example.com.", "there.example.com.", ""},
	} {
		w.apply("{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: c.example.org, recordType: CNAME, targets: [there.example.com]}, {dnsName: c.example.org, recordType: " + tc.rrtype + ", targets: [" + tc.targets + "]}]}}")
		w.want("c.example.org.", tc.want)
		problems := strings.Join(w.objects[ID{"DNSEndpoint", cluster.Key{Namespace: "town", Name: "a"}}].problems, ", ")
		if tc.problem == "" && problems != "" || !strings.Contains(problems, tc.problem) {
			t.Errorf("%s: %s", tc.rrtype, problems)
		}
	}
}

// A text that no message has room for is left out, and the log gets no more than its beginning.
func TestLongTexts(t *testing.T) {
	const longest = 1<<15 - 1
	w := newWorld(t)
	w.apply(fmt.Sprintf("{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: a.example.org, recordType: TXT, targets: [%s, %s]}]}}",
		strings.Repeat("x", longest+1), strings.Repeat("y", longest)))
	if got := w.published("a.example.org."); strings.Contains(got, "x") || len(got) < longest {
		t.Errorf("published: %.100s", got)
	}
	problems := w.objects[ID{"DNSEndpoint", cluster.Key{Namespace: "town", Name: "a"}}].problems
	if len(problems) != 1 || len(problems[0]) > 200 {
		t.Errorf("problems: %.300q", problems)
	}
}
