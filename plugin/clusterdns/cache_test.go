package clusterdns

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

// countingUpstream starts an outside server with every address below example.org and the names
// of another cluster. It fails for names below broken, and counts questions.
func countingUpstream(t *testing.T) (addr string, count *atomic.Int64) {
	t.Helper()
	count = new(atomic.Int64)
	addr = upstream.Start(t, func(r *dns.Msg) *dns.Msg {
		count.Add(1)
		return outsideReply(r)
	})
	return addr, count
}

// away makes the outside servers fail.
var away atomic.Bool

func outsideReply(r *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(r)
	hdr := dns.RR_Header{Name: r.Question[0].Name, Rrtype: r.Question[0].Qtype, Class: dns.ClassINET, Ttl: 30}
	name := strings.ToLower(hdr.Name)
	switch {
	case away.Load() || strings.Contains(name, "broken"):
		m.Rcode = dns.RcodeServerFailure
	case hdr.Rrtype == dns.TypePTR:
		m.Answer = []dns.RR{&dns.PTR{Hdr: hdr, Ptr: "one.one.one.one."}}
	case hdr.Rrtype == dns.TypeA && (strings.HasSuffix(name, "example.org.") || strings.Contains(name, "elsewhere")):
		m.Answer = []dns.RR{&dns.A{Hdr: hdr, A: net.IPv4(192, 0, 2, 1)}}
	default:
		hdr.Name, hdr.Rrtype = ".", dns.TypeSOA
		m.Rcode = dns.RcodeNameError
		m.Ns = []dns.RR{&dns.SOA{Hdr: hdr, Ns: "a.root.", Mbox: "b.root.", Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minttl: 30}}
	}
	return m
}

const cachedManifest = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.96.0.1}}
- {apiVersion: v1, kind: Service, metadata: {name: out, namespace: shop}, spec: {type: ExternalName, externalName: www.example.org}}
- {apiVersion: v1, kind: Service, metadata: {name: inside, namespace: shop}, spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}}
`

// startCached starts a server that forwards to the upstream. It returns its address, and
// the path of the manifests.
func startCached(t *testing.T, text, forwarder string) (addr, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shop.yaml")
	writeManifest(t, path, cachedManifest)
	text = strings.NewReplacer("PORT", freeport.Port(t), "MANIFESTS", "manifests "+path, "FORWARD", "forward . "+forwarder).Replace(text)
	s := coredns.StartTest(t, text)
	s.AwaitFastPath(t)
	return s.UDP(), path
}

// writeManifest replaces a file atomically.
func writeManifest(t *testing.T, path, text string) {
	t.Helper()
	temporary := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}

// A1: the cache keeps other plugins' answers for names in our zones.
func TestA1CacheKeepsOthersAnswers(t *testing.T) {
	for _, tc := range []struct{ what, corefile, question string }{
		{"fallthrough", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes cluster.local {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}", "absent.shop.svc.cluster.local. A"},
		{"fallthrough in the root", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}", "www.example.org. A"},
		{"fallthrough in a zone in use", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes example.org {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}", "www.example.org. A"},
		{"fallthrough that fails", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes cluster.local {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}", "broken.shop.svc.cluster.local. A"},
		{"fallthrough of a reverse zone", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes cluster.local in-addr.arpa {\n MANIFESTS\n fallthrough in-addr.arpa\n }\n FORWARD\n}", "1.1.1.1.in-addr.arpa. PTR"},
		{"fallthrough in other letters", ".:PORT {\n bind 127.0.0.1\n cache 30 {\n keepttl\n serve_stale\n }\n kubernetes one.test CLUSTER.local {\n MANIFESTS\n fallthrough svc.Cluster.LOCAL\n }\n FORWARD\n}", "Absent.shop.SVC.cluster.Local. A"},
		{"fallthrough of a CIDR between two octets", ".:PORT {\n bind 127.0.0.1\n cache 30 {\n prefetch 5\n }\n kubernetes 10.8.0.0/13 cluster.local {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}", "1.0.15.10.IN-ADDR.arpa. PTR"},
		{"fallthrough of the target", "cluster.local:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}\n.:PORT {\n bind 127.0.0.1\n FORWARD\n}", "out.shop.svc.cluster.local. A"},
		{"alias without a forward", "cluster.local:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes {\n MANIFESTS\n }\n}\n.:PORT {\n bind 127.0.0.1\n FORWARD\n}", "out.shop.svc.cluster.local. A"},
		{"alias of another plugin", "cluster.local:PORT {\n bind 127.0.0.1\n cache 30\n template IN A {\n match ^api[.]\n answer \"{{ .Name }} 60 IN CNAME www.example.org.\"\n fallthrough\n }\n kubernetes {\n MANIFESTS\n }\n}\n.:PORT {\n bind 127.0.0.1\n FORWARD\n}", "api.shop.svc.cluster.local. A"},
		{"searched name that falls through", ".:PORT {\n bind 127.0.0.1\n cache 30\n kubernetes cluster.local {\n MANIFESTS\n search names\n fallthrough\n }\n FORWARD\n}", "pod-0.elsewhere.shop.svc.cluster.local. A"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			forwarder, count := countingUpstream(t)
			addr, _ := startCached(t, tc.corefile, forwarder)
			name, qtype, _ := strings.Cut(tc.question, " ")
			for _, network := range []string{"udp", "tcp"} {
				for range 5 {
					if _, _, err := coredns.Client(network).Exchange(new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]), addr); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := count.Load(); got != 1 {
				t.Errorf("ten questions were %d to the upstream, want one", got)
			}
		})
	}
}

// askBoth asks over UDP and TCP, and returns the answers in short.
func askBoth(t *testing.T, addr, name string) string {
	t.Helper()
	var texts []string
	for _, network := range []string{"udp", "tcp"} {
		m, _, err := coredns.Client(network).Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), addr)
		if err != nil {
			t.Fatal(err)
		}
		text := dns.RcodeToString[m.Rcode]
		for _, rr := range m.Answer {
			text += fmt.Sprintf(" %d %s", rr.Header().Ttl, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
		for _, rr := range m.Ns {
			text += fmt.Sprintf(" (%d)", rr.Header().Ttl)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// lastingCorefile has a cache that keeps what it may for an hour, and serves it stale for
// another hour.
const lastingCorefile = `cluster.local:PORT {
    bind 127.0.0.1
    cache 3600 {
        success 9984 3600 3600
        denial 9984 3600 3600
        servfail 5m
        serve_stale 1h
        prefetch 1 1h 90%
    }
    AHEAD
    kubernetes {
        MANIFESTS
        ttl 0
        FALLTHROUGH
    }
    FORWARD
}`

// A1: nothing in the cache keeps a client from an answer of our own data: neither our
// earlier answers, nor those of others from before we had the name.
func TestA1CacheHoldsNothingOfOursBack(t *testing.T) {
	hosts := "hosts {\n192.0.2.9 other.shop.svc.cluster.local\nfallthrough\n}"
	template := "template IN A other.shop.svc.cluster.local {\nanswer \"{{ .Name }} IN A 192.0.2.9\"\nfallthrough\n}"
	const ours, kept = "NXDOMAIN (0), NXDOMAIN (0)", "NXDOMAIN (3600), NXDOMAIN (3600)"
	for _, tc := range []struct{ what, fastPath, ahead, through, absent string }{
		{"alone", "", "", "", ours},
		{"others may answer at hand", "", hosts, "", ours},
		{"others may answer ahead", "", template, "", ours},
		{"others may answer ahead, by the chain", "off", template, "", kept},
		{"others may answer behind", "", "", "fallthrough", kept},
		{"both", "", hosts + "\n" + template, "fallthrough", kept},
	} {
		t.Run(tc.what, func(t *testing.T) {
			t.Setenv("CLUSTERDNS_FASTPATH", tc.fastPath)
			forwarder, _ := countingUpstream(t)
			text := strings.NewReplacer("AHEAD", tc.ahead, "FALLTHROUGH", tc.through).Replace(lastingCorefile)
			addr, path := startCached(t, text, forwarder)
			checkAnswer(t, addr, "web.shop.svc.cluster.local.", "NOERROR 0 10.96.0.1, NOERROR 0 10.96.0.1")
			checkAnswer(t, addr, "new.shop.svc.cluster.local.", tc.absent)
			writeManifest(t, path, strings.ReplaceAll(strings.Replace(cachedManifest, "name: inside", "name: new", 1), "10.96.0.1", "10.96.0.2"))
			await.True(t, time.Minute, "the new address", func() bool {
				return askBoth(t, addr, "web.shop.svc.cluster.local.") == "NOERROR 0 10.96.0.2, NOERROR 0 10.96.0.2"
			})
			alias := "NOERROR 0 web.shop.svc.cluster.local. 0 10.96.0.2"
			checkAnswer(t, addr, "new.shop.svc.cluster.local.", alias+", "+alias)
		})
	}
}

func checkAnswer(t *testing.T, addr, name, want string) {
	t.Helper()
	for range 2 {
		if got := askBoth(t, addr, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A1: stale answers of others are served while their server is away.
func TestA1CacheServesOthersStale(t *testing.T) {
	forwarder, count := countingUpstream(t)
	text := ".:PORT {\n bind 127.0.0.1\n cache 1 {\n success 9984 1 0\n serve_stale 1h verify\n }\n kubernetes {\n MANIFESTS\n fallthrough\n }\n FORWARD\n}"
	addr, _ := startCached(t, text, forwarder)
	const fresh, stale = "NOERROR 1 192.0.2.1", "NOERROR 0 192.0.2.1"
	checkAnswer(t, addr, "www.example.org.", fresh+", "+fresh)
	away.Store(true)
	t.Cleanup(func() { away.Store(false) })
	await.True(t, time.Minute, "the answer is stale", func() bool { return askBoth(t, addr, "www.example.org.") == stale+", "+stale })
	if count.Load() < 2 {
		t.Error("the upstream was not asked again")
	}
}
