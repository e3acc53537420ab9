package kube

import (
	"fmt"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/test/controlplane"
)

// role returns manifests that grant a ServiceAccount what a Watcher needs, with some text
// replaced.
func role(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: dns}
rules:
- {apiGroups: [""], resources: [services, pods, namespaces], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dns}
subjects: [{kind: ServiceAccount, name: dns, namespace: default}]
`)
}

// asServiceAccount returns a Config with the rights of the ServiceAccount of role.
func (c *testCluster) asServiceAccount() Config {
	c.t.Helper()
	account, err := c.ServiceAccount(c.t.Context(), "default", "dns")
	if err != nil {
		c.t.Fatal(err)
	}
	path, err := c.Kubeconfig(account)
	if err != nil {
		c.t.Fatal(err)
	}
	return Config{Kubeconfig: path, Pods: true}
}

// grant applies a role and waits until it takes effect: until the ServiceAccount may watch
// a resource, or may not.
func (c *testCluster) grant(role, group, resource string, may bool) {
	c.t.Helper()
	c.apply(role)
	watch := authorizationv1.ResourceAttributes{Verb: "watch", Group: group, Resource: resource}
	c.AwaitRule(c.t, "system:serviceaccount:default:dns", watch, may)
}

// One log line names a missing rule, and the watch begins once the rule exists.
func testForbidden(c *testCluster) {
	c.grant(role("[endpointslices]", "[nothing]"), "", "services", true)
	log := new(kubetest.Recorder)
	w, _ := c.watcher(c.asServiceAccount(), log)
	told := func() []string { return log.With("ERROR") }
	eventually(c.t, "a line", func() bool { return len(told()) > 0 })
	for _, part := range []string{
		`verbs list and watch on resource "endpointslices" in apiGroup "discovery.k8s.io"`,
		`User "system:serviceaccount:default:dns"`,
	} {
		if !strings.Contains(told()[0], part) {
			c.t.Errorf("%q is not in %q", part, told()[0])
		}
	}
	if w.Store().Load().Synced() {
		c.t.Error("synced without a kind")
	}
	c.apply(role())
	<-w.Synced()
	c.expectShop(w)
	eventually(c.t, "the good news", func() bool { return len(log.All()) == 2 })
	if lines := log.All(); lines[1] != "INFO endpointslices can be watched again" {
		c.t.Errorf("log: %q", lines)
	}
}

// Only the verb watch is missing: there is a list, but nothing updates it.
func testUnwatchable(c *testCluster) {
	c.grant(role("[endpointslices], verbs: [list, watch]", "[endpointslices], verbs: [list]"), "discovery.k8s.io", "endpointslices", false)
	log := new(kubetest.Recorder)
	w, _ := c.watcher(c.asServiceAccount(), log)
	<-w.Synced()
	eventually(c.t, "a line", func() bool { return len(log.All()) > 0 })
	if lines := log.All(); len(lines) != 1 || !strings.Contains(lines[0], "not allowed to watch endpointslices") {
		c.t.Errorf("log: %q", lines)
	}
	c.expectShop(w)
	c.apply(role())
}

// A limit of one request at a time, with lists in pages and four watches.
func testLimits(c *testCluster) {
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c := c.in(t)
			w, _ := c.watcher(Config{Pods: true, MaxInflight: 1, QPS: 1000, Burst: 1000}, nil, edit)
			<-w.Synced()
			c.expectShop(w)
			// All watches continue, each beside the others.
			c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: limits-" + name + "}\n")
			c.expect(w, "limits-"+name+".svc.cluster.local.", typeA, noData)
		})
		c.t.Run(name+", too few", func(t *testing.T) {
			gate := newGate(t, c.Cluster)
			log := new(kubetest.Recorder)
			w, stop := c.in(t).watcher(Config{Endpoint: gate.URL, Pods: true, QPS: 0.0001, Burst: 2}, log, edit)
			eventually(t, "two requests", func() bool { return gate.count("") == 2 })
			stop()
			if gate.count("") != 2 || w.Store().Load().Synced() {
				t.Errorf("requests %q", gate.requests)
			}
			log.Expect(t)
		})
	}
}

// The connection to the API server is cut while objects change and history expires: the old
// answers stay, and a new list then brings everything up to date.
func testGate(c *testCluster) {
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c := c.in(t)
			c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: old-" + name + "}\n")
			gate, log, seen := newGate(t, c.Cluster), new(kubetest.Recorder), newObservations()
			w, _ := c.watcherWith(Config{Endpoint: gate.URL, Pods: true}, Options{Log: log, Observer: seen}, edit)
			awaitCheckpoint(t, w)
			commits, lists := seen.committed(), gate.count("namespaces?limit")+gate.count("sendInitialEvents")
			gate.set(true)
			eventually(t, "the loss to be noticed", func() bool { return len(log.All()) > 0 })

			c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: new-" + name + "}\n")
			c.deleteNamespace("old-" + name)
			if err := c.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.KillAPIServer()
			if err := c.RestartAPIServer(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := seen.committed(); n != commits {
				t.Errorf("the store has changed without an API server: %d commits, were %d", n, commits)
			}
			c.expectShop(w)

			gate.set(false)
			c.expect(w, "new-"+name+".svc.cluster.local.", typeA, noData)
			c.expect(w, "old-"+name+".svc.cluster.local.", typeA, nxDomain)
			if now := gate.count("namespaces?limit") + gate.count("sendInitialEvents"); now == lists {
				t.Error("no new list was needed")
			}
			c.expectShop(w)
			lines := log.All()
			expectOutage(t, lines)
		})
	}
}

// expectOutage checks the log lines of one outage: one for each reason, of which a slow
// machine has several, and one for the end.
func expectOutage(t *testing.T, lines []string) {
	t.Helper()
	last := len(lines) - 1
	if last < 1 || !strings.Contains(lines[last], "answers again") {
		t.Fatalf("log: %q", lines)
	}
	seen := map[string]bool{}
	for _, line := range lines[:last] {
		if seen[line] || !strings.Contains(line, "cannot be reached") {
			t.Errorf("log: %q", lines)
		}
		seen[line] = true
	}
}

// deleteNamespace deletes a Namespace and finalizes it, because no controller runs here.
func (c *testCluster) deleteNamespace(name string) {
	c.t.Helper()
	namespaces := c.Client().CoreV1().Namespaces()
	c.delete(namespaces.Delete(c.t.Context(), name, metav1.DeleteOptions{}))
	ns, err := namespaces.Get(c.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	ns.Spec.Finalizers = nil
	_, err = namespaces.Finalize(c.t.Context(), ns, metav1.UpdateOptions{})
	c.delete(err)
}

// An API server that crashes and comes back is followed without a change of what was known.
// Whether that takes a list depends on the server: it forgets all versions before its start.
func testRestart(c *testCluster) {
	log, seen := new(kubetest.Recorder), newObservations()
	w, _ := c.watcherWith(Config{Pods: true}, Options{Log: log, Observer: seen})
	awaitCheckpoint(c.t, w)
	commits := seen.committed()
	c.KillAPIServer()
	eventually(c.t, "the loss to be noticed", func() bool { return len(log.All()) > 0 })
	c.expectShop(w)
	if err := c.RestartAPIServer(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	if n := seen.committed(); n != commits {
		c.t.Errorf("%d commits, were %d, although nothing has changed", n, commits)
	}
	c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: restarted}\n")
	c.expect(w, "restarted.svc.cluster.local.", typeA, noData)
	c.expectShop(w)
	lines := log.All()
	expectOutage(c.t, lines)
}

// A proxy that closes all connections again and again, before a watch has brought anything,
// causes no list.
func testCuts(c *testCluster) {
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c, gate, seen := c.in(t), newGate(t, c.Cluster), newObservations()
			w, _ := c.watcherWith(Config{Endpoint: gate.URL, Pods: true}, Options{Observer: seen}, edit)
			<-w.Synced()
			for cut := range 3 {
				before := gate.count("watch=true")
				gate.CloseClientConnections()
				eventually(t, "new watches", func() bool { return gate.count("watch=true") >= before+len(w.writer.resources) })
				namespace := fmt.Sprintf("cut-%s-%d", name, cut)
				c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace + "}\n")
				c.expect(w, namespace+".svc.cluster.local.", typeA, noData)
			}
			c.expectShop(w)
			seen.wantNoRelist(t)
		})
	}
}

// Another cluster takes the place of the first one. Its versions are lower than the known
// ones.
func testReplaced(c *testCluster) {
	w, _ := c.watcher(Config{Pods: true}, nil)
	<-w.Synced()
	c.expectShop(w)
	if err := c.ReplaceEtcd(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: another}\n")
	c.expect(w, "another.svc.cluster.local.", typeA, noData)
	c.expect(w, "shop.svc.cluster.local.", typeA, nxDomain)
	c.expect(w, "web.shop.svc.cluster.local.", typeA, nxDomain)
}

// A server without streaming lists, as before Kubernetes 1.34, gets plain lists, and
// nothing is logged.
func TestServerWithoutStreamingLists(t *testing.T) {
	c := newCluster(t, controlplane.Options{DisableStreamingLists: true})
	log, gate := new(kubetest.Recorder), newGate(t, c.Cluster)
	w, _ := c.watcher(Config{Endpoint: gate.URL, Pods: true}, log)
	<-w.Synced()
	c.expectShop(w)
	if gate.count("limit=500") != 4 {
		t.Errorf("requests %q", gate.requests)
	}
	c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n")
	c.expect(w, "late.svc.cluster.local.", typeA, noData)
	log.Expect(t)
}
