package kube

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

// farm has a Service with a ClusterIP and headless ones, with the label that Kubernetes sets on the
// slices of headless Services, and without it.
const farm = `
{apiVersion: v1, kind: Namespace, metadata: {name: farm}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: farm}, spec: {clusterIP: 10.96.9.9, ports: [{name: http, port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, namespace: farm, labels: {kubernetes.io/service-name: web}},
  addressType: IPv4, ports: [{name: http, port: 80}], endpoints: [{addresses: [10.8.0.1], hostname: web-0}]}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: farm}, spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice,
  metadata: {name: db-1, namespace: farm, labels: {kubernetes.io/service-name: db, service.kubernetes.io/headless: ""}},
  addressType: IPv4, ports: [{name: sql, port: 5432}], endpoints: [{addresses: [10.8.0.2], hostname: db-0}]}
---
{apiVersion: v1, kind: Service, metadata: {name: own, namespace: farm}, spec: {clusterIP: None}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: own-1, namespace: farm, labels: {kubernetes.io/service-name: own}},
  addressType: IPv4, ports: [], endpoints: [{addresses: [10.8.0.3], hostname: own-0}]}
`

// farmAnswers are the answers about farm with all slices, and with those of headless Services.
var farmAnswers = []struct {
	name          string
	qtype         uint16
	all, headless string
}{
	{"web.farm.svc.cluster.local.", typeA, "10.96.9.9", "10.96.9.9"},
	{"_http._tcp.web.farm.svc.cluster.local.", typeSRV, "0 100 80 web.farm.svc.cluster.local.", "0 100 80 web.farm.svc.cluster.local."},
	{"9.9.96.10.in-addr.arpa.", typePTR, "web.farm.svc.cluster.local.", "web.farm.svc.cluster.local."},
	{"web-0.web.farm.svc.cluster.local.", typeA, "10.8.0.1", nxDomain},
	{"1.0.8.10.in-addr.arpa.", typePTR, "web-0.web.farm.svc.cluster.local.", nxDomain},
	{"db.farm.svc.cluster.local.", typeA, "10.8.0.2", "10.8.0.2"},
	{"db-0.db.farm.svc.cluster.local.", typeA, "10.8.0.2", "10.8.0.2"},
	{"_sql._tcp.db.farm.svc.cluster.local.", typeSRV, "0 100 5432 db-0.db.farm.svc.cluster.local.", "0 100 5432 db-0.db.farm.svc.cluster.local."},
	{"2.0.8.10.in-addr.arpa.", typePTR, "db-0.db.farm.svc.cluster.local.", "db-0.db.farm.svc.cluster.local."},
	{"own.farm.svc.cluster.local.", typeA, "10.8.0.3", nxDomain},
	{"3.0.8.10.in-addr.arpa.", typePTR, "own-0.own.farm.svc.cluster.local.", nxDomain},
}

func expectFarm(t *testing.T, w *Watcher, headless bool) {
	t.Helper()
	for _, q := range farmAnswers {
		want := q.all
		if headless {
			want = q.headless
		}
		if got := ask(t, w.Store(), q.name, q.qtype); got != want {
			t.Errorf("headless only: %v, %s %d: %s, want %s", headless, q.name, q.qtype, got, want)
		}
	}
}

func TestHeadlessOnlyOfManifests(t *testing.T) {
	for _, headless := range []bool{false, true} {
		folder := t.TempDir()
		kubetest.Write(t, folder, map[string]string{"farm.yaml": farm})
		w, err := New(Config{Manifests: folder, HeadlessOnly: headless}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		expectFarm(t, w, headless)
	}
}

// The API server sends no byte about slices without the label, and a slice that gets the label, or
// loses it, comes and goes.
func testHeadless(c *testCluster) {
	c.apply(farm)
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c := c.in(t)
			gate := newGate(t, c.Cluster)
			w, _ := c.watcher(Config{Endpoint: gate.URL, HeadlessOnly: true}, nil, edit)
			<-w.Synced()
			expectFarm(t, w, true)
			if got := gate.count("endpointslices"); got == 0 || got != gate.count("labelSelector=service.kubernetes.io%2Fheadless") {
				t.Errorf("%d requests for slices, not all with the label: %q", got, gate.requests)
			}
			c.label("endpointslices", "farm", "own-1", "service.kubernetes.io/headless=")
			c.expect(w, "own.farm.svc.cluster.local.", typeA, "10.8.0.3")
			c.unlabel("own-1", "service.kubernetes.io/headless")
			c.expect(w, "own.farm.svc.cluster.local.", typeA, nxDomain)
		})
	}
	c.t.Run("churn", func(t *testing.T) { testHeadlessChurn(c.in(t)) })
}

// testHeadlessChurn changes slices of Services with a ClusterIP, and one of a headless Service at
// the end.
func testHeadlessChurn(c *testCluster) {
	const changes = 200
	gates, watchers := map[bool]*gate{}, map[bool]*Watcher{}
	for _, headless := range []bool{false, true} {
		gates[headless] = newGate(c.t, c.Cluster)
		watchers[headless], _ = c.watcher(Config{Endpoint: gates[headless].URL, HeadlessOnly: headless}, nil)
		<-watchers[headless].Synced()
		gates[headless].watched.Store(0)
	}
	for i := range changes {
		c.moveTo("web-1", fmt.Sprintf("10.8.1.%d", i))
	}
	c.moveTo("db-1", "10.8.2.1")
	for _, w := range watchers {
		c.expect(w, "db.farm.svc.cluster.local.", typeA, "10.8.2.1")
	}
	all, headless := gates[false].watched.Load(), gates[true].watched.Load()
	c.t.Logf("%d changes of ordinary slices and one of a headless Service: %d bytes, with headless %d", changes, all, headless)
	if headless == 0 || headless*50 > all {
		c.t.Errorf("headless: %d of %d bytes, want at most one fiftieth", headless, all)
	}
}

// moveTo gives the endpoint of a slice another address.
func (c *testCluster) moveTo(slice, address string) {
	c.t.Helper()
	patch := fmt.Appendf(nil, `{"endpoints": [{"addresses": [%q], "hostname": "it"}]}`, address)
	c.patchSlice(slice, patch)
}

func (c *testCluster) unlabel(slice, label string) {
	c.t.Helper()
	c.patchSlice(slice, fmt.Appendf(nil, `{"metadata": {"labels": {%q: null}}}`, label))
}

func (c *testCluster) patchSlice(slice string, patch []byte) {
	c.t.Helper()
	_, err := c.Client().DiscoveryV1().EndpointSlices("farm").Patch(c.t.Context(), slice, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
}
