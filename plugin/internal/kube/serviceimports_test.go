package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/test/controlplane"
)

// importDefinition returns the definition of ServiceImports in v1alpha1, and in v1beta1 if
// that is served.
func importDefinition(v1beta1 string) string {
	const schema = "schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}"
	return `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: serviceimports.multicluster.x-k8s.io}
spec:
  group: multicluster.x-k8s.io
  scope: Namespaced
  names: {kind: ServiceImport, plural: serviceimports, singular: serviceimport}
  versions:
  - {name: v1alpha1, served: true, storage: true, ` + schema + `}
  - {name: v1beta1, served: ` + v1beta1 + `, storage: false, ` + schema + `}
`
}

const shopImportedSlice = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-east
  namespace: shop
  labels: {multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east}
addressType: IPv4
endpoints: [{addresses: [10.43.0.1], hostname: web-0}]
ports: [{name: http, port: 8080}]
`

const (
	importedStore = "store.shop.svc.clusterset.local."
	importedWeb   = "web.shop.svc.clusterset.local."
)

// importQuestions are about the imports of shop. The cluster's own Service web is unrelated
// to the Service of that name in the other clusters.
var importQuestions = []struct {
	name  string
	qtype uint16
	want  string
}{
	{importedStore, typeA, "10.42.0.1"},
	{importedStore, typeAAAA, "fd42::1"},
	{"_http._tcp." + importedStore, typeSRV, "0 50 80 " + importedStore},
	{importedWeb, typeA, "10.43.0.1"},
	{"web-0.east." + importedWeb, typeA, "10.43.0.1"},
	{"web-0.west." + importedWeb, typeA, nxDomain},
	{web, typeA, "10.1.0.1"},
	{"store.shop.svc.cluster.local.", typeA, nxDomain},
	{"1.0.43.10.in-addr.arpa.", typePTR, nxDomain},
}

func (c *testCluster) expectImports(w *Watcher) {
	c.t.Helper()
	for _, q := range importQuestions {
		c.expect(w, q.name, q.qtype, q.want)
	}
}

// The same from files. A Watcher without MultiCluster ignores them.
func TestImportsOfManifests(t *testing.T) {
	all := shop + "---\n" + strings.Replace(kubetest.ShopImports, "v1alpha1", "v1beta1", 1) + "---\n" + shopImportedSlice
	f := serve(t, Config{MultiCluster: true}, map[string]string{"all.yaml": all})
	for _, q := range importQuestions {
		f.expect(q.name, q.qtype, q.want)
	}
	f.log.Expect(t)
	f = serve(t, Config{}, map[string]string{"all.yaml": all})
	f.expect(importedStore, typeA, nxDomain)
	f.expect(importedWeb, typeA, nxDomain)
	f.expect(web, typeA, "10.1.0.1")
}

func TestImports(t *testing.T) {
	c := newCluster(t, controlplane.Options{})
	c.apply(shopImportedSlice)
	t.Run("Missing", func(t *testing.T) { testMissing(c.in(t)) })
	t.Run("Versions", func(t *testing.T) { testVersions(c.in(t)) })
	t.Run("Forbidden", func(t *testing.T) { testForbiddenImports(c.in(t)) })
	t.Run("Removed", func(t *testing.T) { testRemoved(c.in(t)) })
}

const (
	noImports  = "WARNING the API server has no serviceimports.multicluster.x-k8s.io, continuing without them: they will be watched once their CustomResourceDefinition is installed"
	hasImports = "INFO the API server has serviceimports.multicluster.x-k8s.io now"
)

// Without the kind everything else works, and the kind is watched once it exists.
func testMissing(c *testCluster) {
	gate, log := newGate(c.t, c.Cluster), new(kubetest.Recorder)
	w, _ := c.watcher(Config{Endpoint: gate.URL, MultiCluster: true}, log)
	<-w.Synced()
	c.expect(w, web, typeA, "10.1.0.1")
	c.expect(w, importedWeb, typeA, nxDomain)
	eventually(c.t, "a second look for the kind", func() bool { return gate.count("v1alpha1/serviceimports") > 2 })
	log.Expect(c.t, noImports)

	c.apply(importDefinition("false"))
	c.apply(kubetest.ShopImports)
	c.expectImports(w)
	log.Expect(c.t, noImports, hasImports)
}

// The better version is used if the server has it. Both give the same result, by a
// streaming list and by a plain one.
func testVersions(c *testCluster) {
	old, stopOld := c.watcher(Config{MultiCluster: true}, nil)
	<-old.Synced()
	c.expectImports(old)
	c.serveBeta()
	gate := newGate(c.t, c.Cluster)
	streamed, stopStreamed := c.watcher(Config{Endpoint: gate.URL, MultiCluster: true}, nil)
	<-streamed.Synced()
	listed, stopListed := c.watcher(Config{Endpoint: gate.URL, MultiCluster: true}, nil, plain)
	<-listed.Synced()
	c.expectImports(streamed)
	c.expectImports(listed)
	if gate.count("v1beta1/serviceimports") == 0 || gate.count("v1alpha1/serviceimports") > 0 {
		c.t.Errorf("requests %q", gate.requests)
	}
	for _, stop := range []func(){stopOld, stopStreamed, stopListed} {
		stop()
	}
	want := heldBy(old)
	for _, w := range []*Watcher{streamed, listed} {
		got := heldBy(w)
		if diff := cmp.Diff(want.Imports, got.Imports, compared); diff != "" {
			c.t.Error(diff)
		}
		if diff := cmp.Diff(want.Imported, got.Imported, compared); diff != "" {
			c.t.Error(diff)
		}
	}
}

// serveBeta adds v1beta1, and waits until the server serves it.
func (c *testCluster) serveBeta() {
	c.t.Helper()
	c.apply(importDefinition("true"))
	client, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	eventually(c.t, "v1beta1", func() bool {
		_, err := client.Resource(importVersions[0].WithResource("serviceimports")).List(c.t.Context(), metav1.ListOptions{})
		return err == nil
	})
}

// Without the right to watch the kind everything else works.
func testForbiddenImports(c *testCluster) {
	c.grant(role(), "", "services", true)
	log, cfg := new(kubetest.Recorder), c.asServiceAccount()
	cfg.MultiCluster = true
	w, _ := c.watcher(cfg, log)
	<-w.Synced()
	c.expect(w, web, typeA, "10.1.0.1")
	c.expect(w, importedStore, typeA, nxDomain)
	if lines := log.All(); len(lines) != 1 ||
		!strings.Contains(lines[0], `verbs list and watch on resource "serviceimports" in apiGroup "multicluster.x-k8s.io"`) {
		c.t.Errorf("log: %q", lines)
	}
	c.apply(role("rules:\n", "rules:\n- {apiGroups: [multicluster.x-k8s.io], resources: [serviceimports], verbs: [list, watch]}\n"))
	c.expectImports(w)
	eventually(c.t, "the good news", func() bool { return len(log.All()) == 2 })
	if lines := log.All(); lines[1] != "INFO serviceimports can be watched again" {
		c.t.Errorf("log: %q", lines)
	}
}

// Deleting the definition deletes its objects.
func testRemoved(c *testCluster) {
	log := new(kubetest.Recorder)
	w, _ := c.watcher(Config{MultiCluster: true}, log)
	<-w.Synced()
	c.expectImports(w)
	client, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	c.delete(definitions.Delete(c.t.Context(), "serviceimports.multicluster.x-k8s.io", metav1.DeleteOptions{}))
	c.expect(w, importedStore, typeA, nxDomain)
	c.expect(w, importedWeb, typeA, nxDomain)
	c.expect(w, web, typeA, "10.1.0.1")
	eventually(c.t, "a line", func() bool { return len(log.All()) == 1 })
	log.Expect(c.t, noImports)
}
