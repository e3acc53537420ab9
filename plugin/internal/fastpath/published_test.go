package fastpath_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	_ "github.com/clusterdns/clusterdns/plugin/k8s_gateway"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/hostile"
)

func init() { coredns.KnowGateway() }

// publishedCorefiles have published names beside the cluster's own, with names that fall through, and
// alone.
var publishedCorefiles = map[string]string{
	"beside": `
.:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:0
    bufsize 1300
    errors
    OURS
    k8s_gateway example.org low.example.net {
        resources Ingress Service DNSEndpoint
        fallthrough low.example.net
    }
    cache 30
    loadbalance
    whoami
}
elsewhere.example.org:PORT {
    bind 127.0.0.1
    whoami
}
`,
	"inside": `
.:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:0
    errors
    OURS
    k8s_gateway example.org low.example.net {
        resources Ingress Service DNSEndpoint
        inside
    }
    cache {
        denial 9984 3600 3600
        success 9984 3600 3600
    }
    loadbalance
    whoami
}
`,
	"alone": `
example.org:PORT low.example.net:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:0
    errors
    loadbalance
    k8s_gateway {
        resources Ingress Service DNSEndpoint
        manifests PUBLISHED
        apex ns.edge
        ttl 3600
    }
}
`,
}

const publishedObjects = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: a}
spec: {rules: [{host: web.example.org}, {host: "*.wild.example.org"}, {host: deep.in.wild.example.org}, {host: x.low.example.net}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.10}, {ip: 192.0.2.11}, {ip: "2001:db8::10"}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: many, namespace: a}
spec: {rules: [{host: many.example.org}]}
status: {loadBalancer: {ingress: [MANY]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cloud, namespace: a}
spec: {rules: [{host: cloud.example.org}, {host: "*.cloudy.example.org"}]}
status: {loadBalancer: {ingress: [{hostname: web.example.org}]}}
---
apiVersion: v1
kind: Service
metadata: {name: game, namespace: town}
spec: {type: LoadBalancer, clusterIP: 10.96.0.3, externalIPs: [192.0.2.20], ports: [{port: 53}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: a}
spec: {type: LoadBalancer, clusterIP: 10.96.0.5, externalIPs: [192.0.2.10], ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: dns1, namespace: kube-system}
spec: {type: LoadBalancer, clusterIP: 10.96.0.4, externalIPs: [192.0.2.53], ports: [{port: 53}]}
---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: texts, namespace: a}
spec: {endpoints: [{dnsName: text.example.org, recordType: TXT, targets: [one, two]}, {dnsName: example.org, recordType: A, targets: [192.0.2.60]},
  {dnsName: example.org, recordType: MX, targets: ["10 mail.example.org"]}, {dnsName: mail.example.org, recordType: MX, targets: [EXCHANGES]},
  {dnsName: _sip._udp.example.org, recordType: SRV, targets: ["0 5 5060 web.example.org", "1 0 5060 sip.example.com"]},
  {dnsName: tel.example.org, recordType: NAPTR, targets: ['10 1 "s" "SIP+D2U" "" _sip._udp.example.org.']}, {dnsName: rule.example.org, recordType: NAPTR, targets: ['10 1 u E2U "!\\\\+!x!" .']},
  {dnsName: named.example.org, recordType: PTR, targets: [web.example.org]}, {dnsName: sub.example.org, recordType: NS, targets: [ns.example.net]},
  {dnsName: "*.mail.example.org", recordType: SRV, targets: [SERVERS]}, {dnsName: long.example.org, recordType: TXT, targets: [LONG, 'a"\b', ""]}]}
`

// publishedNames are published names, existing and not, and some of the cluster.
var publishedNames = []string{
	"web.example.org.", "Web.Example.ORG.", "any.wild.example.org.", "one.two.wild.example.org.", "in.wild.example.org.", "x.in.wild.example.org.",
	"wild.example.org.", "*.wild.example.org.", "many.example.org.", "cloud.example.org.", "any.cloudy.example.org.", "game.town.example.org.",
	"town.example.org.", "GAME.town.low.example.net.", "x.low.example.net.", "no.low.example.net.", "low.example.net.", "example.net.",
	"dns1.kube-system.example.org.", "kube-system.example.org.", "x.dns1.kube-system.example.org.", "ns.edge.example.org.", "edge.example.org.",
	"text.example.org.", "mail.example.org.", "x.Mail.example.org.", "_sip._udp.example.org.", "long.example.org.", "example.org.", "EXAMPLE.org.", "no.example.org.", "a.b.c.d.no.Example.org.", "elsewhere.example.org.",
	"x.elsewhere.example.org.", "org.", "web.a.svc.cluster.local.", "no.a.svc.cluster.local.", "www.example.com.",
}

// publishedCorefile fills in one of the Corefiles.
func publishedCorefile(t testing.TB, name string, port int) string {
	t.Helper()
	var many, exchanges, servers []string
	for i := range 120 {
		many = append(many, fmt.Sprintf("{ip: 192.0.2.%d}", i))
		exchanges = append(exchanges, fmt.Sprintf("%d mx%d.example.org", i, i%40))
		servers = append(servers, fmt.Sprintf("'0 0 %d server-%d.example.org'", i, i%40))
	}
	objects := strings.NewReplacer("MANY", strings.Join(many, ", "), "EXCHANGES", strings.Join(exchanges, ", "), "SERVERS", strings.Join(servers, ", "),
		"LONG", strings.Repeat("long", 300)).Replace(publishedObjects)
	path := filepath.Join(t.TempDir(), "published.yaml")
	if err := os.WriteFile(path, []byte(objects), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := "kubernetes cluster.local {\n manifests " + fastManifest(t) + " " + path + "\n}"
	return strings.NewReplacer("PORT", fmt.Sprint(port), "OURS", ours, "PUBLISHED", path).Replace(publishedCorefiles[name])
}

func startPublished(t testing.TB, name string) (*coredns.Server, int) {
	t.Helper()
	port := freePort(t)
	i := coredns.StartTest(t, publishedCorefile(t, name, port))
	await.True(t, time.Minute, "the names are there", func() bool {
		return exchange(t, port, "web.example.org.", dns.TypeA).Rcode == dns.RcodeSuccess
	})
	return i, port
}

// answeredOf are the numbers of questions that the sockets answer at least, of 20,000. Inside, most are
// for names and types that the next plugin has.
var answeredOf = map[string]int{"beside": 6000, "alone": 6000, "inside": 2000}

// Published names have the same answers at the sockets as from the chain, and nearly all are answered
// there.
func TestPublishedIsTheChain(t *testing.T) {
	for name := range publishedCorefiles {
		t.Run(name, func(t *testing.T) {
			i, port := startPublished(t, name)
			s, reason := fastService(t, i, port)
			if s == nil || reason != "" {
				t.Fatal(reason)
			}
			random, r, out := rand.New(rand.NewPCG(1, 2)), reply.NewResponder(), make([]byte, 0, 1<<17)
			answered := 0
			for range 20000 {
				packet := hostile.Question(random, publishedNames)
				got, verdict := fastReply(t, r, s, packet, out)
				if verdict != reply.Answer {
					continue
				}
				answered++
				if want := chained(t, s, packet); text(got) != text(want) {
					t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
				}
			}
			if answered < answeredOf[name] {
				t.Errorf("only %d questions of 20000 were answered", answered)
			}
		})
	}
}

// Which questions the sockets answer: all for records and for what is not there. Aliases, servers, names
// of others and what loadbalance changes the order of are left to the chain.
func TestPublishedVerdicts(t *testing.T) {
	i, port := startPublished(t, "beside")
	s, reason := fastService(t, i, port)
	if s == nil {
		t.Fatal(reason)
	}
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for question, want := range map[string]reply.Verdict{
		"web.example.org. A":            reply.Answer,
		"web.example.org. AAAA":         reply.Answer,
		"web.example.org. HTTPS":        reply.Answer,
		"any.wild.example.org. A":       reply.Answer,
		"no.example.org. A":             reply.Answer,
		"wild.example.org. MX":          reply.Answer,
		"game.town.example.org. A":      reply.Answer,
		"example.org. A":                reply.Answer,
		"example.org. SOA":              reply.Answer,
		"x.low.example.net. A":          reply.Answer,
		"no.low.example.net. A":         reply.HandOver, // falls through
		"cloud.example.org. A":          reply.HandOver,
		"any.cloudy.example.org. A":     reply.HandOver,
		"text.example.org. TXT":         reply.Answer,
		"text.example.org. ANY":         reply.HandOver, // as any other ANY
		"example.org. MX":               reply.Answer,
		"mail.example.org. MX":          reply.HandOver,
		"tel.example.org. NAPTR":        reply.Answer,
		"rule.example.org. NAPTR":       reply.HandOver,
		"named.example.org. PTR":        reply.Answer,
		"sub.example.org. NS":           reply.HandOver,
		"a.sub.example.org. A":          reply.HandOver,
		"_sip._udp.example.org. SRV":    reply.Answer,
		"example.org. NS":               reply.HandOver,
		"dns1.kube-system.example.org.": reply.HandOver,
		"elsewhere.example.org. A":      reply.HandOver,
		"x.elsewhere.example.org. A":    reply.HandOver,
		"web.a.svc.cluster.local. A":    reply.Answer,
	} {
		name, qtype, _ := strings.Cut(question, " ")
		packet, err := new(dns.Msg).SetQuestion(name, max(dns.TypeA, dns.StringToType[qtype])).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := fastReply(t, r, s, packet, out); verdict != want {
			t.Errorf("%s: verdict %v, want %v", question, verdict, want)
		}
		if want == reply.Answer && !strings.HasPrefix(name, "no.") {
			if n := testing.AllocsPerRun(100, func() { r.Respond(s.Zones, stranger, packet, out) }); n != 0 {
				t.Errorf("%s costs %v allocations", question, n)
			}
		}
	}
}

// The same questions have the same answers and count the same with the fast path and without, over
// UDP and TCP. The cache keeps replies longer than the test takes, or the next plugin would be asked again.
func TestPublishedCounts(t *testing.T) {
	for name := range publishedCorefiles {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(name+" over "+network, func(t *testing.T) {
				var counted [2][]string
				for i, value := range []string{"off", ""} {
					t.Setenv(fastpath.Variable, value)
					instance, port := startPublished(t, name)
					askPublished(t, network, port)
					instance.Stop() // a handler counts after its reply is sent
					counted[i] = metered(t, fmt.Sprintf("dns://127.0.0.1:%d", port), "coredns_dns_", "coredns_clusterdns_answers_total")
				}
				if len(counted[0]) < 20 || !slices.Equal(counted[0], counted[1]) {
					t.Errorf("with the fast path\n%s\nwithout\n%s", strings.Join(counted[1], "\n"), strings.Join(counted[0], "\n"))
				}
			})
		}
	}
}

// Who asks for published names is counted as who asks for the cluster's own.
func TestPublishedCountsWhoAsks(t *testing.T) {
	port := freePort(t)
	text := strings.Replace(publishedCorefile(t, "beside", port), "kubernetes cluster.local {", "kubernetes cluster.local {\n top", 1)
	s, reason := fastService(t, coredns.StartTest(t, text), port)
	if s == nil {
		t.Fatal(reason)
	}
	block := s.Zones[len(s.Zones)-1].Block
	if block.Asked == nil || len(block.Beside) != 1 || block.Beside[0].Asked == nil {
		t.Error("nobody is told")
	}
}

// askPublished sends questions and receives the replies.
func askPublished(t *testing.T, network string, port int) {
	t.Helper()
	conn, err := net.Dial(network, fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	co, random := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}, rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		packet := hostile.Question(random, publishedNames)
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := co.Write(packet); err != nil {
			t.Fatal(err)
		}
		if _, err := co.ReadMsgHeader(nil); err != nil {
			t.Fatalf("%x: %v", packet, err)
		}
	}
}
