package fastpath_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/cost"
	"github.com/clusterdns/clusterdns/test/kit/hostile"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// fastPods are Pods, each with its name, address and other properties.
var fastPods = []struct{ name, namespace, addr, spec, phase string }{
	{"plain", "a", "10.9.0.1", "", "Running"},
	{"plain-6", "a", "2001:db8:9::1", "", "Running"},
	{"suffixes", "a", "10.9.0.2", "dnsConfig: {searches: [b.svc.cluster.local, team.example]}", "Running"},
	{"few-dots", "a", "10.9.0.3", `dnsConfig: {options: [{name: ndots, value: "2"}]}`, "Running"},
	{"none", "a", "10.9.0.4", "dnsPolicy: None, dnsConfig: {searches: [a.svc.cluster.local, svc.cluster.local, b.svc.cluster.local], nameservers: [10.0.0.10]}", "Running"},
	{"none-foreign", "a", "10.9.0.5", "dnsPolicy: None, dnsConfig: {searches: [b.svc.cluster.local], nameservers: [10.0.0.10]}", "Running"},
	{"outsider", "a", "10.9.0.6", "dnsPolicy: Default", "Running"},
	{"foreign", "b", "10.9.0.7", "", "Running"},
	{"proxy", "a", "10.9.0.8", "hostNetwork: true", "Running"},
	{"first", "a", "10.9.0.9", "", "Running"},
	{"second", "b", "10.9.0.9", "", "Running"},
	{"alike-1", "a", "10.9.0.10", "", "Running"},
	{"alike-2", "a", "10.9.0.10", "", "Running"},
	{"job", "b", "10.9.0.11", "", "Succeeded"},
	{"after-job", "a", "10.9.0.11", "", "Running"},
	{"ended", "a", "10.9.0.12", "", "Failed"},
	{"local", "a", "127.0.0.1", "", "Running"}, // the client of tests over the network
}

// fastOther is another Namespace of the cluster.
const fastOther = `
apiVersion: v1
kind: Service
metadata: {name: only, namespace: b}
spec: {clusterIP: 10.3.0.9}
---
apiVersion: v1
kind: Service
metadata: {name: deep, namespace: b}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: deep-1, namespace: b, labels: {kubernetes.io/service-name: deep}}
addressType: IPv4
endpoints: [{addresses: [10.1.9.1], hostname: h}]
`

// podModes are the modes in which Pods are known.
var podModes = []string{"search pods", "search pods none"}

// podService returns the backend of a server with Pods, and its port.
func podService(t testing.TB, mode string) (*udp.Backend, int) {
	t.Helper()
	var texts []string
	for _, p := range fastPods {
		texts = append(texts, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s}\nspec: {containers: [{name: c, image: i}], %s}\n"+
			"status: {phase: %s, podIPs: [{ip: '%s'}]}\n", p.name, p.namespace, p.spec, p.phase, p.addr))
	}
	texts = append(texts, fastOther)
	path := filepath.Join(t.TempDir(), "pods.yaml")
	if err := os.WriteFile(path, []byte(strings.Join(texts, "---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	ours := fmt.Sprintf("kubernetes cluster.local in-addr.arpa ip6.arpa {\n manifests %s %s\n %s\n search_suffixes corp.example\n search_labels 3\n fallthrough in-addr.arpa ip6.arpa\n}",
		fastManifest(t), path, mode)
	i := coredns.StartTest(t, fastCorefile(t, strings.Replace(chainCorefile, "OURS", ours, 1), port))
	s, reason := fastService(t, i, port)
	if s == nil {
		t.Fatal(reason)
	}
	i.AwaitFastPath(t)
	await.True(t, time.Minute, "the cluster is there", func() bool {
		return exchange(t, port, "only.b.svc.cluster.local.", dns.TypeA).Rcode == dns.RcodeSuccess
	})
	return s, port
}

// The possible outcomes of a question for a Pod of the Namespace a.
const (
	completed = "NOERROR"
	denied    = "NXDOMAIN"
	handed    = "handed over"
)

// podQuestions have the outcome of a question for a name below the suffix of the Namespace
// a, by the client's address and by the mode in podModes.
var podQuestions = []struct {
	title, addr, base string
	want              [2]string
}{
	{"a Pod", "10.9.0.1", "only.b", [2]string{completed, completed}},
	{"its other spelling", "10.9.0.1", "ONLY.B.svc", [2]string{completed, completed}},
	{"an IPv6 address", "2001:db8:9::1", "only.b", [2]string{completed, completed}},
	{"a name outside", "10.9.0.1", "www.example.com", [2]string{handed, handed}},
	{"below a Service", "10.9.0.1", "x.db", [2]string{denied, denied}},
	{"a port", "10.9.0.1", "_x._tcp.nothing", [2]string{denied, denied}},
	{"no suffix of its own", "10.9.0.1", "h.deep", [2]string{denied, denied}},
	{"a suffix of its own", "10.9.0.2", "h.deep", [2]string{completed, completed}},
	{"asked for as it is before, the node's suffix not", "10.9.0.3", "www.example.com", [2]string{handed, handed}},
	{"policy None", "10.9.0.4", "only.b", [2]string{completed, completed}},
	{"policy None, a suffix of its own", "10.9.0.4", "h.deep", [2]string{completed, completed}},
	{"policy None, asked for as it is before", "10.9.0.4", "www.example.com", [2]string{denied, denied}},
	{"policy None, another suffix first", "10.9.0.5", "only.b", [2]string{denied, denied}},
	{"policy Default", "10.9.0.6", "only.b", [2]string{denied, denied}},
	{"a Pod of another Namespace", "10.9.0.7", "only.b", [2]string{denied, denied}},
	{"a node", "10.9.0.8", "only.b", [2]string{completed, denied}},
	{"two Pods", "10.9.0.9", "only.b", [2]string{completed, denied}},
	{"two Pods of one Namespace", "10.9.0.10", "only.b", [2]string{completed, denied}},
	{"after a completed Pod", "10.9.0.11", "only.b", [2]string{completed, completed}},
	{"a completed Pod", "10.9.0.12", "only.b", [2]string{completed, denied}},
	{"a stranger", "192.0.2.1", "only.b", [2]string{completed, denied}},
	{"a stranger's name outside", "192.0.2.1", "www.example.com", [2]string{handed, denied}},
}

// A name in the cluster that a Pod's search path leads to is answered at once, as by the
// chain, and without an allocation.
func TestFastPathCompletesForPods(t *testing.T) {
	for mode, properties := range podModes {
		s, _ := podService(t, properties)
		r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
		for _, tc := range podQuestions {
			t.Run(properties+": "+tc.title, func(t *testing.T) {
				client := netip.MustParseAddr(tc.addr)
				packet, err := new(dns.Msg).SetQuestion(tc.base+".a.svc.cluster.local.", dns.TypeA).Pack()
				if err != nil {
					t.Fatal(err)
				}
				got := handed
				if m, verdict := fastReplyTo(t, r, s, client, packet, out); verdict == reply.Answer {
					got = dns.RcodeToString[m.Rcode]
					if want := chainedTo(t, s, client, packet); text(m) != text(want) {
						t.Errorf("got\n%s\nwant\n%s", text(m), text(want))
					}
				}
				if want := tc.want[mode]; got != want {
					t.Errorf("it is %s, want %s", got, want)
				}
				if n := cost.Allocations(50, func() { r.Respond(s.Zones, client, packet, out) }); n != 0 {
					t.Errorf("it costs %v allocations", n)
				}
			})
		}
	}
}

// Questions of all kinds, from all clients.
func TestFastPathIsTheChainForPods(t *testing.T) {
	for _, properties := range podModes {
		t.Run(properties, func(t *testing.T) {
			s, _ := podService(t, properties)
			random, r, out := rand.New(rand.NewPCG(7, 8)), reply.NewResponder(), make([]byte, 0, 1<<17)
			answered, aliases := 0, map[netip.Addr]int{}
			for i := range 20000 {
				client := stranger
				if n := random.IntN(len(fastPods) + 1); n < len(fastPods) {
					client = netip.MustParseAddr(fastPods[n].addr)
				}
				packet := searchedQuestion(t, random)
				if i%8 == 0 {
					packet = hostile.Spoil(random, fastQuestion(random))
				}
				got, verdict := fastReplyTo(t, r, s, client, packet, out)
				if verdict != reply.Answer {
					continue
				}
				answered++
				if len(got.Answer) > 1 && got.Answer[0].Header().Rrtype == dns.TypeCNAME {
					aliases[client]++
				}
				if want := chainedTo(t, s, client, packet); text(got) != text(want) {
					t.Fatalf("%s asks %x: got\n%s\nwant\n%s", client, packet, text(got), text(want))
				}
			}
			if answered < 9000 {
				t.Errorf("only %d questions of 20000 were answered", answered)
			}
			for addr, want := range map[string]bool{"10.9.0.1": true, "2001:db8:9::1": true, "10.9.0.2": true, "10.9.0.4": true, "10.9.0.5": false, "10.9.0.7": false} {
				if got := aliases[netip.MustParseAddr(addr)] > 0; got != want {
					t.Errorf("names are completed for %s: %v, want %v", addr, got, want)
				}
			}
		})
	}
}

// Over the network, a Pod gets the same from the fast path (UDP) and the chain (TCP), and
// both count the same.
func TestFastPathCountsForPods(t *testing.T) {
	_, port := podService(t, "search pods none")
	sum := func() map[string]float64 {
		counts := metrics.Series(t, "coredns_clusterdns_search_completions_total")
		counts["saved"] = metrics.Total(t, "coredns_clusterdns_search_saved_questions_total")
		return counts
	}
	for _, base := range []string{"only.b", "only.b.svc", "only.b.svc.cluster.local", "no.b", "x.db"} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			m := new(dns.Msg).SetQuestion(base+".a.svc.cluster.local.", qtype)
			var replies [2]string
			var counts [2]map[string]float64
			for i, network := range []string{"udp", "tcp"} {
				before, answered := sum(), packets(t, port, "answered")
				reply, _, err := coredns.Client(network).Exchange(m, fastAddr(port).String())
				if err != nil {
					t.Fatal(err)
				}
				if network == "udp" {
					await.True(t, time.Minute, "the fast path counts "+base, func() bool { return packets(t, port, "answered") > answered })
				}
				after := sum()
				for series := range after {
					after[series] -= before[series]
				}
				replies[i], counts[i] = text(reply), after
			}
			if replies[0] != replies[1] || !maps.Equal(counts[0], counts[1]) {
				t.Errorf("%s: counts %v\n%s\n%s", base, counts, replies[0], replies[1])
			}
		}
	}
}
