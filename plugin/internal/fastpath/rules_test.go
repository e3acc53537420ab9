package fastpath_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/any"
	_ "github.com/coredns/coredns/plugin/autopath"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/bufsize"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/cancel"
	_ "github.com/coredns/coredns/plugin/chaos"
	_ "github.com/coredns/coredns/plugin/dns64"
	_ "github.com/coredns/coredns/plugin/dynupdate"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/local"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/multisocket"
	_ "github.com/coredns/coredns/plugin/nsid"
	_ "github.com/coredns/coredns/plugin/proxyproto"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/shed"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/view"
	_ "github.com/coredns/coredns/plugin/whoami"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	_ "github.com/clusterdns/clusterdns/plugin/kubernetes"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// fastCluster has a Service for each way of making answers.
const fastCluster = `
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {clusterIP: 10.3.0.1, clusterIPs: [10.3.0.1, "2001:db8::1"], ports: [{name: http, port: 80, protocol: TCP}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a}
spec: {clusterIP: None, ports: [{name: pg, port: 5432, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: a, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: pg, port: 5432, protocol: TCP}]
endpoints: [{addresses: [10.1.0.1], hostname: db-0}, {addresses: [10.1.0.2], hostname: db-1}, {addresses: [10.1.0.3]}]
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: a}
spec: {type: ExternalName, externalName: www.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: big, namespace: a}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: big-1, namespace: a, labels: {kubernetes.io/service-name: big}}
addressType: IPv4
endpoints: [BIG]
`

// fastManifest returns the path of a file with the cluster.
func fastManifest(t testing.TB) string {
	t.Helper()
	var big []string
	for i := range 200 {
		big = append(big, fmt.Sprintf("{addresses: [10.2.0.%d]}", i))
	}
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	text := strings.Replace(fastCluster, "BIG", strings.Join(big, ", "), 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePort returns a free port of 127.0.0.1, for both protocols.
func freePort(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(freeport.Port(t))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fastCorefile fills in a Corefile: PORT, and OURS for the directive.
func fastCorefile(t testing.TB, text string, port int) string {
	t.Helper()
	ours := "kubernetes cluster.local in-addr.arpa ip6.arpa {\n manifests " + fastManifest(t) + "\n pods insecure\n fallthrough in-addr.arpa ip6.arpa\n}"
	text = strings.NewReplacer("PORT", fmt.Sprint(port), "OURS", ours).Replace(text)
	return text
}

// fastService returns what the fast path serves at a port of 127.0.0.1, and why it answers
// nothing there.
func fastService(t testing.TB, i *coredns.Server, port int) (*udp.Backend, string) {
	t.Helper()
	server := fmt.Sprintf("dns://127.0.0.1:%d", port)
	await.True(t, time.Minute, "the listener is planned", func() bool {
		_, _, planned := fastpath.Planned(i.Instance(), server)
		return planned
	})
	service, reason, _ := fastpath.Planned(i.Instance(), server)
	want := 1.0
	if service == nil || reason != "" {
		want = 0
	}
	if got := metrics.Total(t, "coredns_clusterdns_fastpath_enabled", "server="+server); got != want {
		t.Errorf("the gauge says %v where the service is %v", got, service)
	}
	return service, reason
}

func fastAddr(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
}

// exchange sends a question over UDP and requires a reply.
func exchange(t testing.TB, port int, name string, qtype uint16) *dns.Msg {
	t.Helper()
	reply, _, err := coredns.Client("udp").Exchange(new(dns.Msg).SetQuestion(name, qtype), fastAddr(port).String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return reply
}

// TestFastPathRules tries Corefile lines of plugins that may stand ahead of ours.
func TestFastPathRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("192.0.2.1 node-1 web.a.svc.cluster.local\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(weights, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	zone := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(zone, []byte("cluster.local. 5 SOA ns.cluster.local. x.cluster.local. 1 2 3 4 5\ncluster.local. 5 NS ns.cluster.local.\nns.cluster.local. 5 A 192.0.2.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		lines  string
		reason string // empty if the fast path answers
		off    bool   // it does not even hand over
	}{
		{lines: "errors"},
		{lines: "errors\ncache 30\nloadbalance\nprometheus 127.0.0.1:0"},
		{lines: "errors {\n consolidate 5m \".*\"\n}"},
		{lines: "any\nbufsize 1232\ncancel\nchaos\nmetadata\nnsid\nshed\ntransfer {\n to *\n}"},
		{lines: "loadbalance round_robin"},
		{lines: "loadbalance round_robin {\n prefer 10.0.0.0/8\n}", reason: "loadbalance stands ahead, with the property prefer"},
		{lines: "loadbalance weighted " + weights, reason: "loadbalance stands ahead, with the policy weighted"},
		{lines: "log", reason: "log stands ahead, logging successful answers"},
		{lines: "log . {\n class error\n}"},
		{lines: "log . {\n class error denial\n}"},
		{lines: "log . {\n class all\n}", reason: "log stands ahead"},
		{lines: "log . {\n class error success\n}", reason: "log stands ahead"},
		{lines: "log a.example {\n class error\n}\nlog", reason: "log stands ahead"},
		{lines: "log svc.svc.cluster.local"},
		{lines: "log example.com .", reason: "log stands ahead"},
		{lines: "template IN A {\n match ^x\n answer \"{{ .Name }} 5 IN A 192.0.2.1\"\n}"},
		{lines: "template ANY ANY internal.example {\n rcode NXDOMAIN\n}"},
		{lines: "template ANY ANY a.svc.cluster.local {\n rcode NXDOMAIN\n}"},
		{lines: "template ANY ANY {\n rcode NXDOMAIN\n}", reason: "template stands ahead, for the root zone, which contains all of ours"},
		{lines: "hosts " + file + " {\n fallthrough\n}"},
		{lines: "hosts " + file, reason: "hosts stands ahead, and lets no name of cluster.local. fall through"},
		{lines: "hosts " + file + " example.com"},
		{lines: "autopath @kubernetes"},
		{lines: "rewrite edns0 local set 0xffee 0x61", reason: `rewrite stands ahead, with the rule "edns0 local set 0xffee 0x61", which changes the EDNS options`},
		{lines: "rewrite name suffix . .example.", reason: `rewrite stands ahead, with the rule "name suffix . .example.", which matches all names`},
		{lines: "rewrite ttl regex .* 30", reason: "which matches all names"},
		{lines: "rewrite class IN CH", reason: "changes the class IN"},
		{lines: "acl {\n block\n}", reason: "acl stands ahead, which refuses everything"},
		{lines: "dns64 {\n translate_all\n allow_ipv4\n}"},
		{lines: "header {\n response set ra\n}", reason: "header stands ahead, with the rule response set ra"},
		{lines: "header {\n query clear rd\n}", reason: "header stands ahead, with the rule query clear rd"},
		{lines: "view v {\n expr true\n}", reason: "the plugin view chooses"},
		{lines: "proxyproto {\n allow 192.0.2.0/24\n}", reason: "the plugin proxyproto changes", off: true},
		{lines: "log\nproxyproto {\n allow 192.0.2.0/24\n}", reason: "the plugin proxyproto changes", off: true},
		{lines: "view v {\n expr true\n}\ndynupdate cluster.local {\n file " + zone + "\n allow key. x.cluster.local. TXT\n}", reason: "the plugin dynupdate handles", off: true},
	} {
		t.Run(tc.lines, func(t *testing.T) {
			port := freePort(t)
			i := coredns.StartTest(t, fastCorefile(t, ".:PORT {\n bind 127.0.0.1\n"+tc.lines+"\nOURS\n}", port))
			service, reason := fastService(t, i, port)
			if (service == nil) != tc.off || (reason == "") != (tc.reason == "") || !strings.Contains(reason, tc.reason) {
				t.Fatalf("off: %v, want %v, for the reason %q, want %q", service == nil, tc.off, reason, tc.reason)
			}
		})
	}
}

// The environment variable turns it off everywhere.
func TestFastPathVariable(t *testing.T) {
	t.Setenv(fastpath.Variable, "off")
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, ".:PORT {\n bind 127.0.0.1\nOURS\n}", port))
	if service, reason := fastService(t, i, port); service != nil || !strings.Contains(reason, fastpath.Variable) {
		t.Errorf("on: %v, for the reason %q", service != nil, reason)
	}
	if m := exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA); len(m.Answer) != 1 {
		t.Errorf("the chain does not answer:\n%s", m)
	}
}
