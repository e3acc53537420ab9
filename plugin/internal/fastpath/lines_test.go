package fastpath_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

const (
	web = "web.a.svc.cluster.local."
	db  = "db.a.svc.cluster.local."
)

// zeros are the labels of an address of fastCluster between its first and last ones.
var zeros = strings.Repeat("0.", 23)

// client6 is the address of an unknown client with IPv6.
var client6 = netip.MustParseAddr("2001:db8:99::1")

// lines are lines of a Corefile that stand ahead of ours, with questions that the sockets
// leave to them and others that they answer, each as "name type".
var lines = []struct {
	name, lines   string
	client        netip.Addr
	left, answers []string
}{
	{name: "template for a type", lines: "template IN AAAA . {\n rcode NOERROR\n}",
		left: []string{web + " AAAA", db + " AAAA"}, answers: []string{web + " A", db + " SRV"}},
	{name: "template of any class", lines: "template ANY AAAA {\n rcode NXDOMAIN\n}",
		left: []string{web + " AAAA"}, answers: []string{web + " A"}},
	{name: "template of another class", lines: "template CH ANY . {\n rcode REFUSED\n}",
		answers: []string{web + " AAAA", web + " A"}},
	{name: "template for a zone", lines: "template ANY ANY b.svc.cluster.local {\n rcode NXDOMAIN\n}",
		left: []string{"x.b.svc.cluster.local. A"}, answers: []string{web + " A"}},
	{name: "template with an expression", lines: "template IN A cluster.local {\n match ^db[.] ^no[.]\n answer \"{{ .Name }} 9 IN A 192.0.2.9\"\n fallthrough\n}",
		left: []string{db + " A", "no.a.svc.cluster.local. A"}, answers: []string{web + " A", db + " SRV"}},
	{name: "template that lets nothing through", lines: "template IN A cluster.local {\n match ^db[.]\n answer \"{{ .Name }} 9 IN A 192.0.2.9\"\n}",
		left: []string{db + " A", web + " A"}, answers: []string{web + " AAAA"}},
	{name: "template through in one zone", lines: "template IN A cluster.local {\n match ^nothing\n answer \"{{ .Name }} 9 IN A 192.0.2.9\"\n fallthrough a.svc.cluster.local\n}",
		left: []string{"ns.dns.cluster.local. A"}, answers: []string{web + " A"}},

	{name: "rewrite of a name", lines: "rewrite name web.a.svc.cluster.local db.a.svc.cluster.local",
		left: []string{web + " A", "WEB.a.svc.cluster.local. A"}, answers: []string{db + " A"}},
	{name: "rewrite of another's name", lines: "rewrite stop name exact a.example web.a.svc.cluster.local answer auto",
		answers: []string{web + " A", db + " SRV"}},
	{name: "rewrite of a prefix", lines: "rewrite name prefix web db", left: []string{web + " A"}, answers: []string{db + " A"}},
	{name: "rewrite of a suffix", lines: "rewrite name suffix .svc.old.example .svc.cluster.local answer auto",
		answers: []string{web + " A"}},
	{name: "rewrite of our suffix", lines: "rewrite continue name suffix a.svc.cluster.local b.svc.cluster.local",
		left: []string{web + " A", db + " A"}, answers: []string{"cluster.local. SOA"}},
	{name: "rewrite of a part", lines: "rewrite name substring db.a db.b", left: []string{db + " A"}, answers: []string{web + " A", "cluster.local. SOA"}},
	{name: "rewrite by an expression", lines: "rewrite name regex (.*)[.]b[.]svc[.]cluster[.]local {1}.a.svc.cluster.local answer auto",
		left: []string{"web.b.svc.cluster.local. A"}, answers: []string{web + " A"}},
	{name: "rewrite in a block", lines: "rewrite {\n name regex ^db[.](.*) web.{1}\n}",
		left: []string{db + " A"}, answers: []string{web + " A"}},
	{name: "rewrite of a type", lines: "rewrite type AAAA A", left: []string{web + " AAAA"}, answers: []string{web + " A"}},
	{name: "rewrite of a class", lines: "rewrite class CH IN", answers: []string{web + " A"}},
	{name: "rewrite of a TTL", lines: "rewrite ttl web.a.svc.cluster.local. 40", left: []string{web + " A"}, answers: []string{db + " A"}},
	{name: "rewrite of TTLs", lines: "rewrite ttl suffix a.svc.cluster.local. 40-50", left: []string{web + " A"}, answers: []string{"cluster.local. SOA"}},
	{name: "rewrite of a code", lines: "rewrite rcode no.a.svc.cluster.local. NXDOMAIN NOERROR",
		left: []string{"no.a.svc.cluster.local. A"}, answers: []string{"no.b.svc.cluster.local. A"}},
	{name: "rewrite of codes", lines: "rewrite rcode prefix no. NXDOMAIN NOERROR", answers: []string{web + " A"}},
	{name: "rewrite of targets", lines: "rewrite cname exact www.example.com. web.a.svc.cluster.local.", answers: []string{web + " A"}},
	{name: "several rules", lines: "rewrite continue name exact db.a.svc.cluster.local x.a.svc.cluster.local\nrewrite type SRV A",
		left: []string{db + " A", web + " SRV"}, answers: []string{web + " A"}},

	{name: "acl for a type", lines: "acl {\n filter type AAAA\n}", left: []string{web + " AAAA"}, answers: []string{web + " A"}},
	{name: "acl for a network", lines: "acl {\n block net 192.0.2.0/24\n}", left: []string{web + " A"}},
	{name: "acl for another network", lines: "acl {\n block net 10.0.0.0/8 192.0.2.2 2001:db8::/32\n}", answers: []string{web + " A", db + " SRV"}},
	{name: "acl that allows a network", lines: "acl {\n allow net 192.0.2.0/24\n block\n}", answers: []string{web + " A"}},
	{name: "acl that allows others", lines: "acl {\n allow net 198.51.100.0/24\n drop net *\n}", left: []string{web + " A"}},
	{name: "acl for a zone", lines: "acl b.svc.cluster.local {\n block type A TXT net *\n}\nacl cluster.local {\n block type SRV\n}",
		left: []string{"x.b.svc.cluster.local. A", db + " SRV"}, answers: []string{web + " A"}},

	{name: "dns64 and IPv4", lines: "dns64 64:ff9b::/96", answers: []string{web + " AAAA", db + " AAAA"}},
	{name: "dns64 and IPv6", lines: "dns64", client: client6, left: []string{db + " AAAA"}, answers: []string{web + " AAAA", db + " A", "no.a.svc.cluster.local. AAAA"}},
	{name: "dns64 for all", lines: "dns64 {\n allow_ipv4\n}", left: []string{db + " AAAA"}, answers: []string{web + " AAAA", web + " A"}},
	{name: "dns64 of everything", lines: "dns64 {\n allow_ipv4\n translate_all\n}", left: []string{web + " AAAA"}, answers: []string{web + " A"}},

	{name: "hosts", lines: "hosts {\n 192.0.2.1 db.a.svc.cluster.local\n 10.1.0.1 node.example\n 2001:db8::9 node.example\n fallthrough\n}",
		left:    []string{db + " A", "DB.a.svc.cluster.local. SRV", "1.0.1.10.in-addr.arpa. PTR", "9." + zeros + "8.b.d.0.1.0.0.2.ip6.arpa. PTR"},
		answers: []string{web + " A", "1.0.3.10.in-addr.arpa. PTR", "1.0.1.10.in-addr.arpa. TXT", "1." + zeros + "8.b.d.0.1.0.0.2.ip6.arpa. PTR", "0.1.10.in-addr.arpa. PTR"}},
	{name: "local", lines: "local",
		left:    []string{"localhost.a.svc.cluster.local. A", "LocalHost.cluster.local. AAAA"},
		answers: []string{web + " A", "localhosts.a.svc.cluster.local. A", "1.0.3.10.in-addr.arpa. PTR"}},

	{name: "header", lines: "header {\n response set aa\n response clear ra\n query set aa ra\n}", answers: []string{web + " A", "no.a.svc.cluster.local. A"}},
	{name: "minimal", lines: "minimal", left: []string{web + " SRV", "cluster.local. NS"}, answers: []string{web + " A", "no.a.svc.cluster.local. A", "1.0.3.10.in-addr.arpa. PTR"}},
	{name: "log of some names", lines: "log svc.svc.cluster.local b.svc.cluster.local",
		left: []string{"web.b.svc.cluster.local. A"}, answers: []string{web + " A", "no.a.svc.cluster.local. A"}},
	{name: "log of other names", lines: "log example.com \"{common}\" {\n class all\n}\nlog . {\n class error\n}", answers: []string{web + " A"}},
	{name: "log of other denials", lines: "log example.com {\n class denial\n}", answers: []string{web + " A", "no.a.svc.cluster.local. A"}},
	{name: "log of a name but once", lines: "log a.svc.cluster.local {\n class error\n}\nlog svc.cluster.local",
		left: []string{"x.b.svc.cluster.local. A"}, answers: []string{web + " A"}},
}

// TestLinesAhead checks what the sockets leave to the plugins of each line, and that what they
// answer is what the chain answers.
func TestLinesAhead(t *testing.T) {
	for _, tc := range lines {
		t.Run(tc.name, func(t *testing.T) {
			s := lineService(t, tc.lines)
			client := tc.client
			if !client.IsValid() {
				client = stranger
			}
			r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
			for want, questions := range map[reply.Verdict][]string{reply.HandOver: tc.left, reply.Answer: tc.answers} {
				for _, question := range questions {
					if _, got := fastReplyTo(t, r, s, client, packed(t, question), out); got != want {
						t.Errorf("%s: the verdict is %v, want %v", question, got, want)
					}
				}
			}
			answersAsChain(t, s, client)
		})
	}
}

// packed returns a question in wire form. It is written as "name type".
func packed(t *testing.T, question string) []byte {
	t.Helper()
	name, qtype, _ := strings.Cut(question, " ")
	return questionPacket(t, name, dns.StringToType[qtype])
}

// lineService returns what the fast path serves with lines ahead of ours. There is no cache, which
// would count TTLs down where a plugin behind it may know more of a name.
func lineService(t *testing.T, lines string) *udp.Backend {
	t.Helper()
	port := freePort(t)
	text := strings.NewReplacer("errors\n", "errors\n"+lines+"\n", "cache 30 cluster.local\n", "").Replace(chainCorefile)
	i := coredns.StartTest(t, fastCorefile(t, text, port))
	s, reason := fastService(t, i, port)
	if s == nil || reason != "" {
		t.Fatalf("nothing is answered: %s", reason)
	}
	await.True(t, time.Minute, "the cluster is there", func() bool {
		return slices.ContainsFunc(s.Zones, func(z reply.Zone) bool { return z.Block != nil && z.Block.Store.Load().Synced() })
	})
	return s
}

// answersAsChain asks random questions, and compares what the sockets answer with the chain.
func answersAsChain(t *testing.T, s *udp.Backend, client netip.Addr) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for range 2000 {
		packet := fastQuestion(random)
		got, verdict := fastReplyTo(t, r, s, client, packet, out)
		if verdict != reply.Answer {
			continue
		}
		if want := chainedTo(t, s, client, packet); text(got) != text(want) {
			t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
		}
	}
}

// TestAllowedIsCounted checks that the counter of acl counts what it does not see.
func TestAllowedIsCounted(t *testing.T) {
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, ".:PORT {\nbind 127.0.0.1\nacl {\n block type SRV\n}\nOURS\n}", port))
	if s, reason := fastService(t, i, port); s == nil || reason != "" {
		t.Fatal(reason)
	}
	await.True(t, time.Minute, "the cluster is there", func() bool { return len(exchange(t, port, web, dns.TypeA).Answer) > 0 })
	count := func() float64 { return metrics.Total(t, "coredns_acl_allowed_requests_total") }
	before := count()
	for range 5 {
		exchange(t, port, web, dns.TypeA)
		exchange(t, port, web, dns.TypeSRV)
	}
	await.True(t, time.Minute, "the questions for A are counted", func() bool { return count()-before >= 5 })
	if got := count() - before; got != 5 {
		t.Errorf("%v questions were allowed, want 5", got)
	}
}

// TestAllowedKeptIsCounted checks that acl counts the kept replies of the cache as well.
func TestAllowedKeptIsCounted(t *testing.T) {
	port, _, s := startKeptBehind(t, "acl {\n block type SRV\n}", outsideReply, keepTTL)
	a, packet := newKeptAsker(t, port, s), questionPacket(t, "one.example.com.", dns.TypeA)
	await.True(t, time.Minute, "the reply is kept", func() bool {
		a.send(t, packet)
		return a.kept(packet) != nil
	})
	count := func() float64 {
		return metrics.Total(t, "coredns_acl_allowed_requests_total", fmt.Sprintf("server=dns://127.0.0.1:%d", port))
	}
	allowed, answered := count(), packets(t, port, "answered")
	const sent = 50
	for range sent {
		a.send(t, packet)
	}
	await.True(t, time.Minute, "the questions are counted", func() bool { return count()-allowed >= sent })
	if got := count() - allowed; got != sent || packets(t, port, "answered") == answered {
		t.Errorf("%v questions were allowed, %v answered at the sockets, want %d and some", got, packets(t, port, "answered")-answered, sent)
	}
}
