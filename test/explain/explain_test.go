package explain

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/test/kit/prose"
)

const corefile = `.:53 {
    errors
    LINE
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        manifests cluster.yaml
        PROPERTY
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    template IN A corp.example {
        answer "{{ .Name }} 60 IN A 192.0.2.99"
    }
    template IN AAAA out.example {
        answer "{{ .Name }} 60 IN AAAA 2001:db8::1"
    }
    OUTSIDE
    cache 30
}
`

// root denies all names outside.
const root = ". 60 IN SOA ns. host. 1 2 3 4 60\n. 60 IN NS ns.\n"

const objects = `
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {hostname: db-0, subdomain: db}
status:
  phase: Running
  podIP: 10.1.0.9
  conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "readiness probe failed: connect 5432"}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-x, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.9], hostname: db-0, conditions: {ready: false}}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: api}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: cache, namespace: shop}
spec: {clusterIP: None, selector: {app: cach}, ports: [{name: redis, port: 6379}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-6f9c, namespace: shop, labels: {app: web}}
status: {phase: Running, podIP: 10.1.0.8, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Service
metadata: {name: queue, namespace: data}
spec: {clusterIP: 10.96.0.8, ports: [{name: amqp, port: 5672}]}
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: gone.example.net}
`

type run struct {
	line, property, outside, tail, objects string

	args []string
}

func (r run) explain(t *testing.T) (text string, code int) {
	t.Helper()
	dir := t.TempDir()
	others := "file " + filepath.Join(dir, "root.db") + " ."
	if r.outside != "" {
		others = r.outside
	}
	conf := strings.NewReplacer("LINE", r.line, "PROPERTY", r.property, "cluster.yaml", filepath.Join(dir, "cluster.yaml"), "OUTSIDE", others).Replace(corefile)
	for name, text := range map[string]string{"Corefile": conf + strings.ReplaceAll(r.tail, "cluster.yaml", filepath.Join(dir, "cluster.yaml")), "cluster.yaml": objects + r.objects, "root.db": root} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut bytes.Buffer
	code = commands.Explain(append([]string{"-conf", filepath.Join(dir, "Corefile")}, r.args...), strings.NewReader(""), &out, &errOut)
	checkProse(t, out.String())
	return out.String() + errOut.String(), code
}

// checkProse looks at the sentences of a result.
func checkProse(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		for _, begin := range []string{"note: ", "cause: ", "remedy: ", "    => "} {
			if sentence, is := strings.CutPrefix(line, begin); is {
				prose.Check(t, sentence)
			}
		}
	}
}

// TestConfusions has what people take days for, each with the cause in words.
func TestConfusions(t *testing.T) { //nolint:funlen // its rows are a table
	for _, tc := range []struct {
		name  string
		run   run
		code  int
		words []string
	}{
		{"1 headless and not ready", run{args: []string{"db", "-from", "shop"}}, 3, []string{"headless and has no ready endpoint", "readiness probe failed: connect 5432", "publishNotReadyAddresses"}},
		{"1 with an upstream out of reach", run{outside: "forward . 127.0.0.1:1", args: []string{"db", "-from", "shop"}}, 4, []string{"cause: Service shop/db is headless and has no ready endpoint", "note: db. has no answer either: SERVFAIL"}},
		{"1 with what kubelet says", run{args: []string{"db", "-from", "shop"}, objects: `
---
{apiVersion: v1, kind: Event, metadata: {name: db-0.1, namespace: shop}, involvedObject: {kind: Pod, name: db-0}, lastTimestamp: 2026-01-02T03:04:05Z, message: "Readiness probe failed: older"}
---
{apiVersion: v1, kind: Event, metadata: {name: db-0.2, namespace: shop}, involvedObject: {kind: Pod, name: db-0}, lastTimestamp: 2026-01-02T03:05:05Z, message: "Readiness probe failed: dial tcp: refused\nmore"}
---
{apiVersion: v1, kind: Event, metadata: {name: db-0.3, namespace: shop}, involvedObject: {kind: Pod, name: db-1}, lastTimestamp: 2026-01-02T03:06:05Z, message: "Readiness probe failed: another Pod"}
`}, 3, []string{"Pod shop/db-0  not ready: Readiness probe failed: dial tcp: refused\n"}},
		{"1 as musl asks", run{outside: "forward . 127.0.0.1:1", args: []string{"db", "-from", "shop", "-libc", "musl"}}, 4, []string{"cause: Service shop/db is headless and has no ready endpoint"}},
		{"4 with an upstream out of reach", run{outside: "forward . 127.0.0.1:1", args: []string{"queue", "-from", "shop"}}, 4, []string{"remedy: write queue.data"}},
		{"2 subdomain is not the Service", run{args: []string{"db-1.db", "-from", "shop"}, objects: `
---
apiVersion: v1
kind: Pod
metadata: {name: db-1, namespace: shop, labels: {app: db}}
spec: {hostname: db-1, subdomain: database}
`}, 3, []string{`the subdomain "database"`, "spec.subdomain: db"}},
		{"3 a denial is kept", run{args: []string{"db-0.db", "-from", "shop"}}, 3, []string{"db-0 is not ready", "may keep the denial for 30 s"}},
		{"4 another Namespace", run{args: []string{"queue", "-from", "shop"}}, 3, []string{"Namespace data has one", "write queue.data"}},
		{"5 dig does not search", run{args: []string{"api", "-from", "shop"}}, 0, []string{"dig and the nslookup of busybox ask for api. alone"}},
		{"6 one name, many questions", run{args: []string{"www.out.example", "-from", "shop"}}, 0, []string{"8 questions", "write www.out.example. with the dot at the end", "search names"}},
		{"7 a wildcard of the node", run{args: []string{"nothing", "-from", "shop", "-node-search", "corp.example"}}, 0, []string{"corp.example: a wildcard there"}},
		{"8 a NetworkPolicy", run{args: []string{"api", "-from", "shop/web-6f9c"}, objects: `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}
`}, 4, []string{"NetworkPolicy closed", "port 53"}},
		{"9 no reply", run{outside: "erratic {\n drop 1\n }", args: []string{"www.example.org.", "-from", "shop"}}, 4, []string{"no reply", "upstream of forward can be reached"}},
		{"9 a reply that takes long", run{outside: "erratic {\n drop 0\n truncate 0\n delay 1 2100ms\n }", args: []string{"www.example.org.", "-from", "shop", "-type", "A"}}, 0, []string{"note: www.example.org. A took 2 s: resolvers ask again after 5 s"}},
		{"8 a NetworkPolicy for the server's Pods, and a cache on the node", run{args: []string{"api", "-from", "shop/web-6f9c", "-cluster-dns", "169.254.20.10"}, objects: `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: dns, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]}
`}, 0, []string{"note: NetworkPolicy dns of Namespace shop opens port 53 of Pods alone, and 169.254.20.10 is the node: allow egress to ipBlock 169.254.20.10/32 too"}},
		{"11 rewrite in the wrong block", run{tail: "corp:53 {\n errors\n rewrite name app.example.org api.shop.svc.cluster.local\n whoami\n}\n", args: []string{"app.example.org", "-from", "shop"}}, 3, []string{"cause: ", "Corefile:21: No question for app.example.org. comes to this server block"}},
		{"11 rewrite in a block without the cluster", run{tail: "example.org:53 {\n rewrite name exact app.example.org api.shop.svc.cluster.local\n template ANY ANY . {\n  rcode NXDOMAIN\n }\n}\n", args: []string{"app.example.org", "-from", "shop"}}, 3, []string{"Corefile:20: api.shop.svc.cluster.local. is asked of this server block's own plugins", "remedy: kubernetes \"cluster.local\" in this server block too"}},
		{"11 rewrite of a suffix", run{tail: "example.org:53 {\n rewrite name suffix .apps.example.org .shop.svc.cluster.local answer auto\n template ANY ANY {\n  rcode NXDOMAIN\n }\n}\n", args: []string{"api.apps.example.org", "-from", "shop"}}, 4, []string{"Corefile:20: shop.svc.cluster.local. is asked of this server block's own plugins", "remedy: kubernetes \"cluster.local\" in this server block too"}},
		{"13 RBAC", run{args: []string{"api", "-from", "shop"}, objects: `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:coredns"}
rules: [{apiGroups: [""], resources: [endpoints, services, pods, namespaces], verbs: [list, watch]}]
`}, 0, []string{"does not let the server list and watch endpointslices"}},
		{"14 upstream out of reach", run{outside: "forward . 127.0.0.1:1", args: []string{"www.example.org.", "-from", "shop"}}, 4, []string{"upstream does not answer"}},
		{"15 edit reverted", run{args: []string{"api", "-from", "shop"}, objects: `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system, labels: {addonmanager.kubernetes.io/mode: Reconcile}}
`}, 0, []string{"what you edit in it is reverted"}},
		{"10 AAAA without IPv6", run{args: []string{"www.out.example.", "-from", "shop"}}, 0, []string{"no_aaaa auto"}},
		{"12 debug prints nothing", run{line: "debug", args: []string{"api", "-from", "shop"}}, 0, []string{"questions are not logged"}},
		{"a template ahead", run{line: "template IN ANY . {\n rcode NXDOMAIN\n }", args: []string{"api", "-from", "shop"}}, 3, []string{"template, which is asked ahead of kubernetes"}},
		{"a rewrite to what is not there", run{line: "rewrite name app.example gone.shop.svc.cluster.local", args: []string{"app.example.", "-from", "shop"}}, 3, []string{"cause: rewrite makes gone.shop.svc.cluster.local of it: Namespace shop has no Service gone"}},
		{"a selector that matches nothing", run{args: []string{"cache", "-from", "shop"}}, 3, []string{"selector of the headless Service shop/cache matches no Pod"}},
		{"a port without a name", run{args: []string{"_http._tcp.api", "-from", "shop", "-type", "SRV"}}, 3, []string{"have no name", "spec.ports"}},
		{"an alias that fails", run{args: []string{"old", "-from", "shop"}}, 3, []string{"alias of gone.example.net", "NXDOMAIN"}},
		{"a Namespace that is hidden", run{property: "namespaces data", args: []string{"api", "-from", "shop"}}, 3, []string{"the Corefile hides it"}},
		{"a Namespace that is not there", run{args: []string{"api.shopp.svc.cluster.local.", "-from", "shop"}}, 3, []string{"Namespace shopp does not exist"}},
		{"a Namespace that is not there, and another one", run{args: []string{"queue.dada", "-from", "shop"}}, 3, []string{"cause: Namespace dada does not exist; Namespace data has a Service queue", "remedy: write queue.data"}},
		{"from a Namespace that is not there", run{args: []string{"api", "-from", "shopp"}}, 3, []string{"cause: Namespace shopp does not exist; Namespace shop has a Service api", "note: Namespace shopp does not exist, so no Pod asks from there"}},
		{"a type that a headless Service does not have", run{args: []string{"ready.data.svc.cluster.local.", "-type", "MX"}, objects: `
---
apiVersion: v1
kind: Service
metadata: {name: ready, namespace: data}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ready-x, namespace: data, labels: {kubernetes.io/service-name: ready}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.9]}]
`}, 3, []string{"cause: Service data/ready has no address of that family, or no record of that type"}},
		{"a name outside that does not exist", run{args: []string{"www.example.org", "-from", "shop"}}, 3, []string{"cause: file says NXDOMAIN"}},
		{"answered", run{args: []string{"api", "-from", "shop/web-6f9c"}}, 0, []string{"10.96.0.7", "by kubernetes", "question 1 is answered"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, code := tc.run.explain(t)
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, w := range tc.words {
				if !strings.Contains(text, w) {
					t.Errorf("without %q", w)
				}
			}
			if t.Failed() {
				t.Log("\n" + text)
			}
		})
	}
}
