package kube

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
	"github.com/clusterdns/clusterdns/test/controlplane"
)

const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: docs, namespace: shop}
spec: {type: ExternalName, externalName: docs.example.com}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-a, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints:
- {addresses: [10.1.0.1], hostname: web-0}
- {addresses: [10.1.0.2], conditions: {ready: false}}
ports: [{name: http, port: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop}
spec: {containers: [{name: web, image: web}]}
status: {phase: Running, podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop}
spec: {containers: [{name: web, image: web}]}
status: {phase: Succeeded, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
`

// questions are about the objects of the Namespace shop, with their answers.
var questions = []struct {
	name  string
	qtype uint16
	want  string
}{
	{"web.shop.svc.cluster.local.", typeA, "10.1.0.1"},
	{"web-0.web.shop.svc.cluster.local.", typeA, "10.1.0.1"},
	{"_http._tcp.web.shop.svc.cluster.local.", typeSRV, "0 100 8080 web-0.web.shop.svc.cluster.local."},
	{"10-1-0-1.shop.pod.cluster.local.", typeA, "10.1.0.1"},
	{"10-1-0-9.shop.pod.cluster.local.", typeA, nxDomain},
	{"1.0.1.10.in-addr.arpa.", typePTR, "web-0.web.shop.svc.cluster.local."},
	{"other.shop.svc.cluster.local.", typeA, nxDomain},
	{"shop.svc.cluster.local.", typeA, noData},
	{"other.svc.cluster.local.", typeA, nxDomain},
}

// testCluster is an API server with the objects of the Namespace shop.
type testCluster struct {
	*controlplane.Cluster
	t *testing.T
}

func newCluster(t *testing.T, o controlplane.Options) *testCluster {
	t.Helper()
	c := &testCluster{controlplane.StartTest(t, o), t}
	c.apply(shop)
	return c
}

func (c *testCluster) apply(text string) {
	c.t.Helper()
	if err := c.Apply(c.t.Context(), []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// in returns the cluster for a subtest.
func (c *testCluster) in(t *testing.T) *testCluster { return &testCluster{c.Cluster, t} }

// watcher makes a Watcher with the rights of the administrator, and starts it.
func (c *testCluster) watcher(cfg Config, log Logger, edit ...func(*server)) (w *Watcher, stop func()) {
	c.t.Helper()
	return c.watcherWith(cfg, Options{Log: log}, edit...)
}

func (c *testCluster) watcherWith(cfg Config, opts Options, edit ...func(*server)) (w *Watcher, stop func()) {
	c.t.Helper()
	if cfg.Endpoint == "" && cfg.Kubeconfig == "" {
		path, err := c.Kubeconfig(c.Admin())
		if err != nil {
			c.t.Fatal(err)
		}
		cfg.Kubeconfig = path
	}
	w, err := New(cfg, opts)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, edit := range edit {
		edit(w.source.(*server))
	}
	return w, start(c.t, w)
}

// label gives an object of ours a label, as in key=value.
func (c *testCluster) label(resource, namespace, name, label string) {
	c.t.Helper()
	client, err := dynamic.NewForConfig(c.RESTConfig())
	if err != nil {
		c.t.Fatal(err)
	}
	kind := corev1.SchemeGroupVersion.WithResource(resource)
	if resource == "endpointslices" {
		kind = discoveryv1.SchemeGroupVersion.WithResource(resource)
	}
	key, value, _ := strings.Cut(label, "=")
	patch := fmt.Appendf(nil, `{"metadata": {"labels": {%q: %q}}}`, key, value)
	_, err = client.Resource(kind).Namespace(namespace).Patch(c.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *testCluster) expect(w *Watcher, name string, qtype uint16, want string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%s %d is %s", name, qtype, want), func() bool {
		return ask(c.t, w.Store(), name, qtype) == want
	})
}

func (c *testCluster) expectShop(w *Watcher) {
	c.t.Helper()
	for _, q := range questions {
		if got := ask(c.t, w.Store(), q.name, q.qtype); got != q.want {
			c.t.Errorf("%s %d: %s, want %s", q.name, q.qtype, got, q.want)
		}
	}
}

func plain(s *server) { s.lists.Plain = true }

// crowd makes Namespaces, the cheapest of our objects.
func (c *testCluster) crowd(count int) {
	names := make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for name := range names {
				ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
				if _, err := c.Client().CoreV1().Namespaces().Create(c.t.Context(), ns, metav1.CreateOptions{}); err != nil {
					c.t.Error(err)
				}
			}
		})
	}
	for i := range count {
		names <- fmt.Sprintf("crowd-%d", i)
	}
	close(names)
	wg.Wait()
}

// held has all objects of a Watcher that has stopped.
type held struct {
	Services   map[cluster.Key]*cluster.Service
	Slices     map[cluster.Key]*cluster.Slice
	Pods       map[uint64]*cluster.Pod
	Namespaces map[cluster.Key]*namespace
	Imports    map[cluster.Key]*cluster.Service
	Imported   map[cluster.Key]*cluster.Slice
}

func heldBy(w *Watcher) held {
	wr := w.writer
	return held{
		byKey(wr.services), byKey(wr.slices), byKey(wr.pods), byKey(wr.namespaces),
		byKey(wr.imports), byKey(wr.importedSlices),
	}
}

func byKey[K comparable, T any](t *table.Table[K, T]) map[K]*T {
	all := make(map[K]*T)
	t.Held.ClearMarks()
	for _, key := range t.Held.Unmarked() {
		all[key] = t.Held.At(key)
	}
	return all
}
