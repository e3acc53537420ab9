//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// faulty is a cluster in which faults are planted. Its namespace has the Service web, the
// headless Service db with the Pod db-0, and the Pod client.
type faulty struct {
	namespace, corefile string
	outside             command
}

// TestFaults plants one fault after another, and finds each as somebody with the README alone
// would: with kubectl clusterdns, and with the server's own commands in its Pod. Without a
// fault, all lines of doctor are green.
func TestFaults(t *testing.T) {
	f := newFaulty(t)
	for _, tc := range []struct {
		name string
		find func(*faulty, *testing.T)
	}{
		{"probe fails", (*faulty).findProbe},
		{"probe of the server fails", (*faulty).findServerProbe},
		{"upstream is down", (*faulty).findUpstream},
		{"rewrite in the wrong block", (*faulty).findRewrite},
		{"port 53 of a client dropped", (*faulty).findClosedClient},
		{"port 53 of a server dropped", (*faulty).findClosedServer},
		{"rights taken away", (*faulty).findRights},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.find(f, t) })
		awaitSettled(t)
		f.outside.isWell(t)
	}
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{outside: outside(t), namespace: newNamespace(t, "faults")}
	f.corefile = answerCommands(t)
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: %[1]s}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: %[1]s}, spec: {clusterIP: None, selector: {app: db}}}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: %[1]s, labels: {app: db}}
spec:
  hostname: db-0
  subdomain: db
  terminationGracePeriodSeconds: 0
  containers:
  - name: db
    image: %[2]q
    readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}
`, f.namespace, lab.Busybox))
	client{namespace: f.namespace, name: "client", image: lab.Busybox}.start(t)
	f.outside.isWell(t)
	return f
}

// answerCommands has the servers answer commands until the end of the test, and look for a
// changed Corefile every two seconds. It returns their Corefile.
func answerCommands(t *testing.T) (changed string) {
	t.Helper()
	const variable = "CLUSTERDNS_EXPLAIN"
	set := func(ctx context.Context, corefile, value string) {
		setCorefile(t, corefile)
		if _, err := cluster.Kubectl(ctx, "set", "env", "--namespace="+dnsNamespace, "deployment/coredns", variable+value); err != nil {
			t.Error(err)
		}
		if err := cluster.AwaitRollout(ctx, dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
	}
	original := currentCorefile(t)
	t.Cleanup(func() { set(context.WithoutCancel(t.Context()), original, "-") })
	changed = strings.Replace(original, "reload\n", "reload 2s 1s\n", 1)
	set(t.Context(), changed, "=on")
	awaitSettled(t)
	return changed
}

func (f *faulty) from(name string) []string { return []string{"-from", f.namespace, name} }

// A probe of a Pod fails, so the name of its headless Service does not exist.
func (f *faulty) findProbe(t *testing.T) {
	db := client{namespace: f.namespace, name: "db-0"}
	t.Cleanup(func() { f.outside.explains(t, exitWell, f.from("db-0.db"), nil) })
	t.Cleanup(func() {
		if _, err := db.try(context.WithoutCancel(t.Context()), "touch", "/tmp/ready"); err != nil {
			t.Error(err)
		}
	})
	headless, why := "Service "+f.namespace+"/db is headless", "Pod "+f.namespace+"/db-0  not ready: Readiness probe failed: cat: can't open"
	f.outside.explains(t, exitFound, f.from("db"), []string{headless + " and has no ready endpoint", "mend the readiness probe"}, why)
	f.outside.explains(t, exitFound, f.from("db-0.db"), []string{"Pod " + f.namespace + "/db-0 is not ready", "mend the readiness probe"}, why)
	inside(t, serverPods(t)[0]).explains(t, exitFound, f.from("db"), []string{headless + " and the server has no ready endpoint of it", "run coredns explain with a kubeconfig"})
}

// The Deployment of the server gets a probe that fails, so a rollout ends half way.
func (f *faulty) findServerProbe(t *testing.T) {
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := cluster.Kubectl(ctx, "rollout", "undo", "--namespace="+dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
		if err := cluster.AwaitRollout(ctx, dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
	})
	kubectl(t, "patch", "--namespace="+dnsNamespace, "deployment/coredns", "--patch",
		`{"spec": {"template": {"spec": {"containers": [{"name": "coredns", "readinessProbe": {"httpGet": {"path": "/redy"}}}]}}}}`)
	f.outside.finds(t, "pods", "is not ready: Readiness probe failed: HTTP probe failed with statuscode: 404", "describe pod coredns-")
}

// An upstream does not answer. Of names that were asked before, caches have the answer.
func (f *faulty) findUpstream(t *testing.T) {
	within := inside(t, serverPods(t)[0])
	within.explains(t, exitWell, f.from("www.example.com"), nil)
	t.Cleanup(func() { within.explains(t, exitWell, f.from("ns.example.com"), nil) })
	stopPart(t, "upstream")
	f.outside.finds(t, "upstreams", "answers names outside the cluster with SERVFAIL", "ask the upstreams from a node")
	within.finds(t, "upstreams", node.Address+":53 does not answer", "the address in forward, or in the node's resolv.conf")
	within.explains(t, exitUnknown, f.from("alias.example.com"), []string{"SERVFAIL: the upstream does not answer", "look whether the upstream of forward can be reached"})
}

// A rule of rewrite stands where the name does not come to, or where the name that it makes is
// not known.
func (f *faulty) findRewrite(t *testing.T) {
	t.Cleanup(func() { setCorefile(t, f.corefile) })
	target := "web." + f.namespace + ".svc.cluster.local"
	rule := "errors\n    rewrite name exact shop.example.com " + target + "\n"
	block := "example.com:53 {\n    errors\n    forward . " + node.Address + "\n}\n"
	for _, tc := range []struct {
		name, corefile, what, instead string
	}{
		{
			"elsewhere", strings.Replace(f.corefile, "errors\n", rule, 1) + block,
			`Questions for shop.example.com. go to the server block for "example.com"`, "This rule in that server block",
		}, {
			"target", f.corefile + strings.Replace(block, "errors\n", rule, 1),
			target + `. is asked of this server block's own plugins, not of the server block for "." that has the cluster`, `kubernetes "cluster.local"`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			setCorefile(t, tc.corefile)
			f.outside.suspects(t, "corefile", tc.what)
			for _, c := range []command{f.outside, inside(t, serverPods(t)[0])} {
				c.explains(t, exitFound, f.from("shop.example.com"), []string{tc.what, tc.instead})
			}
		})
	}
}

// closing drops packets to port 53, as what enforces a NetworkPolicy does.
const closing = `table inet clusterdns-policy {
  chain %[1]s {
    type filter hook %[1]s priority 0
    meta l4proto {tcp, udp} th dport 53 drop
  }
}
`

// closePort53 drops what a Pod sends (output) or gets (input) until the end of the test. No
// plugin of the lab enforces a NetworkPolicy.
func closePort53(t *testing.T, c client, hook string) {
	t.Helper()
	network := c.network(t)
	nft := func(ctx context.Context, rules string) error {
		return cluster.WithinPod(network, func() error {
			cmd := exec.CommandContext(ctx, "nft", "-f", "-")
			cmd.Stdin = strings.NewReader(rules)
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w: %s", cmd, err, out)
			}
			return nil
		})
	}
	t.Cleanup(func() {
		if err := nft(context.WithoutCancel(t.Context()), "delete table inet clusterdns-policy"); err != nil {
			t.Error(err)
		}
	})
	if err := nft(t.Context(), fmt.Sprintf(closing, hook)); err != nil {
		t.Fatal(err)
	}
}

// A NetworkPolicy lets a client send nothing to port 53.
func (f *faulty) findClosedClient(t *testing.T) {
	apply(t, fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-alone, namespace: %s}
spec:
  podSelector: {matchLabels: {app: client}}
  policyTypes: [Egress]
  egress: [{ports: [{port: 80}]}]
`, f.namespace))
	t.Cleanup(func() {
		if _, err := cluster.Kubectl(context.WithoutCancel(t.Context()), "delete", "networkpolicy", "--namespace", f.namespace, "web-alone"); err != nil {
			t.Error(err)
		}
	})
	c := client{namespace: f.namespace, name: "client"}
	closePort53(t, c, "output")
	if out, err := c.try(t.Context(), "timeout", "2", "nslookup", "web."+f.namespace+".svc.cluster.local"); err == nil {
		t.Errorf("the client is answered: %s", out)
	}
	f.outside.isWell(t)
	f.outside.explains(t, exitUnknown, []string{"-from", f.namespace + "/client", "web"}, []string{
		"NetworkPolicy web-alone of Namespace " + f.namespace + " lets Pod client send nothing to port 53", "allow egress to port 53",
	})
}

// A NetworkPolicy lets nothing in to port 53 of a server.
func (f *faulty) findClosedServer(t *testing.T) {
	pods := serverPods(t)
	closePort53(t, client{namespace: dnsNamespace, name: pods[0]}, "input")
	for _, c := range []command{f.outside, inside(t, pods[1])} {
		c.finds(t, "replies", "Pod "+pods[0]+" does not answer over UDP", "Pod "+pods[0]+" does not answer over TCP", "NetworkPolicy that lets port 53 through")
	}
}

// The server may not read EndpointSlices any longer, which it notices when it starts again.
func (f *faulty) findRights(t *testing.T) {
	const refused = "ServiceAccount kube-system/coredns may not list endpointslices.discovery.k8s.io, watch endpointslices.discovery.k8s.io"
	starved := ""
	rules := kubectl(t, "get", "clusterrole", "system:coredns", "-o", "jsonpath={.rules}")
	t.Cleanup(func() {
		f.setRules(t, rules)
		if starved != "" {
			f.restart(t, starved) // its next attempt may be a minute away
		}
		if err := cluster.AwaitRollout(context.WithoutCancel(t.Context()), dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
	})
	f.setRules(t, `[{"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]}]`)
	f.outside.finds(t, "rights", refused, "kubectl apply -k an overlay of deploy/kubernetes")
	starved = f.restart(t, serverPods(t)[0])
	f.outside.finds(t, "data", "Pod "+starved+" does not know the cluster", "look at the Pod's log", "the line rights")
	inside(t, starved).finds(t, "rights", refused)
	f.outside.explains(t, exitWell, f.from("web"), nil, "ClusterRole system:coredns does not let the server list and watch endpointslices")
	inside(t, starved).explains(t, exitUnknown, f.from("web"), []string{"the server has no data of the cluster yet", "may it list and watch each kind?"})
}

// setRules replaces what the server may do. It also works during cleanup.
func (f *faulty) setRules(t *testing.T, rules string) {
	t.Helper()
	_, err := cluster.Kubectl(context.WithoutCancel(t.Context()), "patch", "clusterrole", "system:coredns", "--type=merge", "--patch", `{"rules": `+rules+`}`)
	if err != nil {
		t.Error(err)
	}
}

// restart deletes a DNS Pod and returns the one in its place. It also works during cleanup.
func (f *faulty) restart(t *testing.T, pod string) (next string) {
	t.Helper()
	before := serverPods(t)
	if _, err := cluster.Kubectl(context.WithoutCancel(t.Context()), "delete", "pod", "--namespace="+dnsNamespace, pod, "--wait=false"); err != nil {
		t.Error(err)
	}
	eventually(t, func(context.Context) error {
		for _, name := range serverPods(t) {
			if !slices.Contains(before, name) {
				next = name
				return nil
			}
		}
		return fmt.Errorf("no Pod has replaced %s", pod)
	})
	return next
}
