package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// commandVariable makes a process of the tests the command coredns explain.
const commandVariable = "CLUSTERDNS_TEST_COMMAND"

// explain asks a server of this process by coredns explain.
func explain(t *testing.T, wanted int, words []string, args ...string) {
	t.Helper()
	explainBy(t, wanted, words, append([]string{"-server", strconv.Itoa(os.Getpid())}, args...)...)
}

// explainBy runs coredns explain in a process of its own, as in a Pod or on a laptop, and checks what it prints.
func explainBy(t *testing.T, wanted int, words []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), commandVariable+"=yes")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != wanted {
		t.Errorf("coredns explain: exit code %d, want %d", code, wanted)
	}
	for _, w := range words {
		if !strings.Contains(string(out), w) {
			t.Errorf("coredns explain: without %q", w)
		}
	}
	if t.Failed() {
		t.Logf("\n%s", out)
	}
}

// told are a Corefile in a ConfigMap, what kubeadm keeps of kubelets, and a Namespace with a Service whose only Pod
// is not ready. ROOT is the file of a zone that denies all names outside.
const told = `
apiVersion: v1
kind: ConfigMap
metadata: {name: told, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        errors
        health
        rewrite name exact front.example web.told.svc.cluster.local answer auto
        kubernetes cluster.local in-addr.arpa ip6.arpa {
           pods insecure
           fallthrough in-addr.arpa ip6.arpa
           ttl 30
        }
        prometheus :9153
        file ROOT .
        loop
    }
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kubelet-config, namespace: kube-system}
data: {kubelet: "clusterDomain: cluster.local\nclusterDNS: [10.96.0.53]\n"}
---
{apiVersion: v1, kind: Namespace, metadata: {name: told}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: told-data}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: told}, spec: {clusterIP: 10.96.0.181, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: queue, namespace: told-data}, spec: {clusterIP: 10.96.0.182, ports: [{name: amqp, port: 5672}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: told}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: told}, spec: {type: ExternalName, externalName: queue.told-data.svc.cluster.local}}
---
apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: told, labels: {app: db}}
spec: {hostname: db-0, subdomain: db, containers: [{name: db, image: db}]}
status:
  phase: Running
  podIP: 10.181.0.9
  podIPs: [{ip: 10.181.0.9}]
  conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "readiness probe failed: connect 5432"}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-x, namespace: told, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints: [{addresses: [10.181.0.9], hostname: db-0, conditions: {ready: false}}]
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: told, labels: {app: web}}
spec: {containers: [{name: web, image: web}], dnsConfig: {options: [{name: ndots, value: "2"}]}}
status: {phase: Running, podIP: 10.181.0.8, podIPs: [{ip: 10.181.0.8}]}
`

// rights are those of a developer: everything in one Namespace that names depend on, and the Corefile. WHO is the
// user, and SERVICES the resources beside Pods.
const rights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: WHO, namespace: told}
rules:
- {apiGroups: ["", discovery.k8s.io, networking.k8s.io], resources: [RESOURCES], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: WHO, namespace: told}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: WHO}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: WHO}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: WHO, namespace: kube-system}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [told, kubelet-config], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: WHO, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: WHO}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: WHO}]
`

// developer makes a user with rights in the Namespace told.
func (c *cluster) developer(t *testing.T, name, resources string) (u *user, kubeconfig string) {
	t.Helper()
	u = c.stranger(t, name)
	c.apply(t, strings.NewReplacer("WHO", name, "RESOURCES", resources).Replace(rights))
	c.AwaitRule(t, name, authorizationv1.ResourceAttributes{Verb: "list", Resource: "pods", Namespace: "told"}, true)
	c.AwaitRule(t, name, authorizationv1.ResourceAttributes{Verb: "get", Resource: "configmaps", Name: "told", Namespace: "kube-system"}, true)
	kubeconfig, err := c.Kubeconfig(u.credential)
	if err != nil {
		t.Fatal(err)
	}
	return u, kubeconfig
}

// With a kubeconfig the Corefile and the objects are those of the cluster, as far as the user may see them, and what
// the user may not see is never taken for missing.
func TestExplainWithAKubeconfig(t *testing.T) {
	t.Parallel()
	c := everybodys.start(t)
	root := filepath.Join(t.TempDir(), "root.db")
	if err := os.WriteFile(root, []byte(". 60 IN SOA ns. host. 1 2 3 4 60\n. 60 IN NS ns.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.apply(t, strings.ReplaceAll(told, "ROOT", root))
	admin, err := c.Kubeconfig(c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	u, developer := c.developer(t, "developer", "services, endpointslices, pods, networkpolicies")
	_, noServices := c.developer(t, "no-services", "pods, endpointslices")
	_, noSlices := c.developer(t, "no-slices", "services, pods")
	stranger, err := c.Kubeconfig(c.stranger(t, "explain-stranger").credential)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(copied, []byte("cluster.local {\n kubernetes\n template IN A web.told.svc.cluster.local {\n  answer \"{{ .Name }} 60 IN A 192.0.2.7\"\n }\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, kubeconfig string
		args             []string
		code             int
		words            []string
	}{
		{"answered", developer, []string{"web", "-from", "told/web-0"}, 0, []string{"10.96.0.181", "by kubernetes", "nameserver 10.96.0.53  search told.svc.cluster.local", "ndots:2", "not seen     Namespace told\n"}},
		{"not ready", developer, []string{"db", "-from", "told/web-0"}, 3, []string{"headless and has no ready endpoint", "readiness probe failed: connect 5432", "publishNotReadyAddresses"}},
		{"a Pod that is not ready", developer, []string{"db-0.db", "-from", "told"}, 3, []string{"Pod told/db-0 is not ready", "readiness probe failed: connect 5432"}},
		{"a rewrite", developer, []string{"front.example.", "-from", "told"}, 0, []string{"10.96.0.181"}},
		{"elsewhere", admin, []string{"queue", "-from", "told"}, 3, []string{"Namespace told-data has one", "write queue.told-data"}},
		{"elsewhere, but not to be seen", developer, []string{"queue", "-from", "told"}, 3, []string{"Namespace told has no Service queue", "not seen     services\n"}},
		{"an alias into another Namespace", admin, []string{"out", "-from", "told"}, 0, []string{"10.96.0.182"}},
		{"an alias that is not to be seen", developer, []string{"out", "-from", "told"}, 4, []string{"not seen     Service queue of Namespace told-data", "cannot be told"}},
		{"Services not to be seen", noServices, []string{"web", "-from", "told"}, 4, []string{"you may not see the Services of Namespace told", "cannot be told", "kubectl exec"}},
		{"slices not to be seen", noSlices, []string{"db", "-from", "told"}, 4, []string{"you may not see the endpointslices of Namespace told"}},
		{"slices not to be seen, nor needed", noSlices, []string{"web", "-from", "told"}, 0, []string{"10.96.0.181", "not seen     endpointslices of Namespace told"}},
		{"a reverse name", admin, []string{"182.0.96.10.in-addr.arpa.", "-type", "PTR", "-from", "told"}, 4, []string{"cannot be told"}},
		{"no such Pod", developer, []string{"web", "-from", "told/nobody"}, 4, []string{"the cluster has no Pod told/nobody", "behind -from"}},
		{"another domain", developer, []string{"web", "-from", "told", "-cluster-domain", "other.local"}, 3, []string{"kubelet writes the cluster domain other.local"}},
		{"a Corefile that is not to be seen", stranger, []string{"web", "-from", "told"}, 1, []string{"ConfigMap kube-system/told has no Corefile, or you may not see it", "-conf"}},
		{"a copy of the Corefile", developer, []string{"web.told.svc.cluster.local.", "-from", "told", "-conf", copied}, 0, []string{"192.0.2.7", "by template"}},
		{"JSON", developer, []string{"web", "-from", "told", "-o", "json"}, 0, []string{`"source": "cluster"`, `"unseen": [`, `"nameservers": [`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			explainBy(t, tc.code, tc.words, append([]string{"-kubeconfig", tc.kubeconfig, "-configmap", "kube-system/told"}, tc.args...)...)
		})
	}
	for _, e := range u.events(t) {
		if strings.Contains(e.RequestURI, "/namespaces/default/") || e.Verb == "watch" || e.Verb == "list" && e.ObjectRef.Resource == "pods" && !strings.Contains(e.RequestURI, "labelSelector=") {
			t.Errorf("no look-up needs %s %s", e.Verb, e.RequestURI)
		}
	}
}
