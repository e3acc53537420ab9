package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/leak"
)

func TestServer(t *testing.T) {
	c := newCluster(t, controlplane.Options{})
	t.Run("Objects", func(t *testing.T) { testObjects(c.in(t)) })
	t.Run("Lists", func(t *testing.T) { testLists(c.in(t)) })
	t.Run("Leaks", func(t *testing.T) { testLeaks(c.in(t)) })
	t.Run("Certificates", func(t *testing.T) { testCertificates(c.in(t)) })
	t.Run("Forbidden", func(t *testing.T) { testForbidden(c.in(t)) })
	t.Run("Unwatchable", func(t *testing.T) { testUnwatchable(c.in(t)) })
	t.Run("Selectors", func(t *testing.T) { testSelectors(c.in(t)) })
	t.Run("Headless", func(t *testing.T) { testHeadless(c.in(t)) })
	t.Run("Observer", func(t *testing.T) { testObserver(c.in(t)) })
	t.Run("Limits", func(t *testing.T) { testLimits(c.in(t)) })
	t.Run("Gate", func(t *testing.T) { testGate(c.in(t)) })
	t.Run("Restart", func(t *testing.T) { testRestart(c.in(t)) })
	t.Run("Cuts", func(t *testing.T) { testCuts(c.in(t)) })
	t.Run("Replaced", func(t *testing.T) { testReplaced(c.in(t)) })
}

// Objects of every kind are added, changed and deleted.
func testObjects(c *testCluster) {
	log := new(kubetest.Recorder)
	w, _ := c.watcher(Config{Pods: true}, log)
	<-w.Synced()
	c.expectShop(w)

	c.apply(`
apiVersion: v1
kind: Namespace
metadata: {name: new}
---
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: new}
spec: {ipFamilyPolicy: RequireDualStack, ports: [{port: 25}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-a, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints:
- {addresses: [10.1.0.2]}
ports: [{name: http, port: 8080}]
---
` + webZero("Running"))
	c.expect(w, "web.shop.svc.cluster.local.", typeA, "10.1.0.2")
	c.expect(w, "new.svc.cluster.local.", typeA, noData)
	c.expect(w, "10-1-0-3.shop.pod.cluster.local.", typeA, "10.1.0.3")
	c.expect(w, "10-1-0-1.shop.pod.cluster.local.", typeA, nxDomain)
	services := c.Client().CoreV1().Services("new")
	mail, err := services.Get(c.t.Context(), "mail", metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.expect(w, "mail.new.svc.cluster.local.", typeA, mail.Spec.ClusterIPs[0])
	c.expect(w, "mail.new.svc.cluster.local.", typeAAAA, mail.Spec.ClusterIPs[1])

	c.delete(services.Delete(c.t.Context(), "mail", metav1.DeleteOptions{}))
	c.delete(c.Client().DiscoveryV1().EndpointSlices("shop").Delete(c.t.Context(), "web-a", metav1.DeleteOptions{}))
	c.apply(webZero("Failed"))
	c.expect(w, "mail.new.svc.cluster.local.", typeA, nxDomain)
	c.expect(w, "web.shop.svc.cluster.local.", typeA, nxDomain)
	c.expect(w, "10-1-0-3.shop.pod.cluster.local.", typeA, nxDomain)
	c.delete(c.Client().CoreV1().Pods("shop").Delete(c.t.Context(), "web-0", *metav1.NewDeleteOptions(0)))
	c.apply(shop)
	c.expect(w, "10-1-0-1.shop.pod.cluster.local.", typeA, "10.1.0.1")
	c.expect(w, "web.shop.svc.cluster.local.", typeA, "10.1.0.1")
	log.Expect(c.t)
}

// webZero returns a Pod of shop with another address.
func webZero(phase string) string {
	return `
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop}
spec: {containers: [{name: web, image: web}]}
status: {phase: ` + phase + `, podIP: 10.1.0.3, podIPs: [{ip: 10.1.0.3}]}
`
}

func (c *testCluster) delete(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// manyPages is the number of objects for a list of several pages.
const manyPages = 510

// Streaming lists and plain lists of several pages give the same store.
func testLists(c *testCluster) {
	c.crowd(manyPages)
	gate := newGate(c.t, c.Cluster)
	cfg := Config{Endpoint: gate.URL, Pods: true, PodNames: true}
	streamed, stopStreamed := c.watcher(cfg, nil)
	<-streamed.Synced()
	if gate.count("limit=500") > 0 || gate.count("sendInitialEvents=true") != 4 {
		c.t.Errorf("not streamed: %q", gate.requests)
	}
	listed, stopListed := c.watcher(cfg, nil, plain)
	<-listed.Synced()
	if gate.count("sendInitialEvents=true") != 4 || gate.count("continue=") == 0 {
		c.t.Errorf("not in pages: %q", gate.requests)
	}
	c.expectShop(streamed)
	c.expectShop(listed)
	// Both watch.
	c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n")
	c.expect(streamed, "late.svc.cluster.local.", typeA, noData)
	c.expect(listed, "late.svc.cluster.local.", typeA, noData)
	stopStreamed()
	stopListed()
	if n := streamed.writer.namespaces.Held.Len(); n < manyPages {
		c.t.Errorf("%d Namespaces", n)
	}
	if diff := cmp.Diff(heldBy(streamed), heldBy(listed), compared, cmpopts.EquateComparable(namespace{})); diff != "" {
		c.t.Errorf("streamed and listed differ: %s", diff)
	}
}

func testLeaks(c *testCluster) {
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			leak.None(t)
			w, stop := c.in(t).watcher(Config{Pods: true}, nil, edit)
			<-w.Synced()
			stop()
		})
		c.t.Run(name+", stopped before it is synced", func(t *testing.T) {
			leak.None(t)
			_, stop := c.in(t).watcher(Config{Pods: true}, nil, edit)
			stop()
		})
	}
}

// The property "tls CERT KEY CA" of the Corefile.
func testCertificates(c *testCluster) {
	user, err := c.User("dns", "system:masters")
	if err != nil {
		c.t.Fatal(err)
	}
	w, _ := c.watcher(Config{Endpoint: c.URL(), CertFile: user.CertFile, KeyFile: user.KeyFile, CAFile: c.CAFile()}, nil)
	<-w.Synced()
	c.expect(w, "web.shop.svc.cluster.local.", typeA, "10.1.0.1")
}
