package kube

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

func TestSelectorsAreParsed(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want string // in the error
	}{
		{Config{}, ""},
		{Config{Labels: "app=web", NamespaceLabels: "team in (a, b),!hidden"}, ""},
		{Config{Labels: "app in web"}, `label selector "app in web"`},
		{Config{NamespaceLabels: "a=b=c"}, `label selector of Namespaces "a=b=c"`},
	} {
		for _, source := range []string{"an API server", "manifests"} {
			tc.cfg.Endpoint, tc.cfg.Manifests = "http://127.0.0.1:1", ""
			if source == "manifests" {
				tc.cfg.Manifests = t.TempDir()
				kubetest.Write(t, tc.cfg.Manifests, map[string]string{"a.yaml": kubetest.WebService})
			}
			_, err := New(tc.cfg, Options{})
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s, %+v: %v", source, tc.cfg, err)
			}
		}
	}
}

// D10: each kind is requested with the selectors that apply to it. Those of Namespaces do
// not apply to ServiceImports.
func TestD10SelectorsOfFeeds(t *testing.T) {
	_, resources, _ := newTestWriter(Config{Labels: "app = web", NamespaceLabels: "team in (b,a)", Pods: true, MultiCluster: true})
	want := []string{
		"services app=web",
		"namespaces team in (a,b)",
		"endpointslices app=web",
		"pods app=web",
		"serviceimports ",
		"multicluster-endpointslices app=web,multicluster.kubernetes.io/service-name",
	}
	var got []string
	for _, r := range resources {
		got = append(got, r.about().name+" "+r.about().labels.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// The label that Kubernetes sets narrows the watch on the slices of this cluster's own Services, and
// nothing else.
func TestHeadlessOnlySelectsSlices(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{HeadlessOnly: true}, "service.kubernetes.io/headless"},
		{Config{HeadlessOnly: true, Labels: "app = web"}, "app=web,service.kubernetes.io/headless"},
	} {
		tc.cfg.MultiCluster, tc.cfg.Pods = true, true
		_, resources, _ := newTestWriter(tc.cfg)
		for _, r := range resources {
			about := r.about()
			if got := about.labels.String(); about.name == "endpointslices" && got != tc.want || about.name != "endpointslices" && strings.Contains(got, "headless") {
				t.Errorf("%+v: %s are selected by %q", tc.cfg, about.name, got)
			}
		}
	}
}

const labelled = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: attic}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {clusterIP: None}
---
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: shop, labels: {app: mail}}
spec: {clusterIP: None}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web, app: web}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-2, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.2]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: mail-1, namespace: shop, labels: {kubernetes.io/service-name: mail, app: web}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.3]}]
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job-0, namespace: shop}
spec: {containers: [{name: web, image: web}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: implied, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.8}]}
`

func TestSelectorsOfManifests(t *testing.T) {
	const (
		mail, attic, implied = "mail.shop.svc.cluster.local.", "attic.svc.cluster.local.", "implied.svc.cluster.local."
		webPod, jobPod       = "10-1-0-1.shop.pod.cluster.local.", "10-1-0-9.shop.pod.cluster.local."
	)
	for _, tc := range []struct {
		cfg                                       Config
		web, mail, attic, implied, webPod, jobPod string
	}{
		{Config{}, "10.1.0.1 10.1.0.2", "10.1.0.3", noData, noData, "10.1.0.1", "10.1.0.9"},
		{Config{Labels: "app=web"}, "10.1.0.1", nxDomain, noData, noData, "10.1.0.1", nxDomain},
		{Config{Labels: "app in (web,mail)"}, "10.1.0.1", "10.1.0.3", noData, noData, "10.1.0.1", nxDomain},
		{Config{NamespaceLabels: "team"}, "10.1.0.1 10.1.0.2", "10.1.0.3", nxDomain, nxDomain, "10.1.0.1", "10.1.0.9"},
		{Config{NamespaceLabels: "!team"}, nxDomain, nxDomain, noData, noData, nxDomain, nxDomain},
		// The label that the API server sets on every Namespace.
		{Config{NamespaceLabels: "kubernetes.io/metadata.name in (shop,implied)"}, "10.1.0.1 10.1.0.2", "10.1.0.3", nxDomain, noData, "10.1.0.1", "10.1.0.9"},
	} {
		t.Run(tc.cfg.Labels+" "+tc.cfg.NamespaceLabels, func(t *testing.T) {
			tc.cfg.Pods = true
			f := serve(t, tc.cfg, map[string]string{"all.yaml": labelled})
			f.expect(web, typeA, tc.web)
			f.expect(mail, typeA, tc.mail)
			f.expect(attic, typeA, tc.attic)
			f.expect(implied, typeA, tc.implied)
			f.expect(webPod, typeA, tc.webPod)
			f.expect(jobPod, typeA, tc.jobPod)
		})
	}
}

// An object that no longer matches after an edit is gone.
func TestManifestStopsMatching(t *testing.T) {
	f := serve(t, Config{Labels: "app=web"}, map[string]string{"all.yaml": labelled})
	f.expect(web, typeA, "10.1.0.1")
	kubetest.Write(t, f.folder, map[string]string{"all.yaml": strings.Replace(labelled, "labels: {app: web}", "labels: {app: other}", 1)})
	f.settle()
	f.expect(web, typeA, nxDomain)
}

// An object that stops matching arrives as deleted, and one that begins to match as added.
func testSelectors(c *testCluster) {
	objects := strings.NewReplacer("10.1.0.", "10.9.0.", "shop", "depot", "attic", "cellar", "namespace: implied", "namespace: cellar").Replace(labelled)
	for name, edit := range map[string]func(*server){"streaming": func(*server) {}, "plain": plain} {
		c.t.Run(name, func(t *testing.T) {
			c := c.in(t)
			c.apply(objects)
			w, _ := c.watcher(Config{Labels: "app=web", NamespaceLabels: "team=a", Pods: true}, nil, edit)
			<-w.Synced()
			c.expectSelected(w)
		})
	}
}

func (c *testCluster) expectSelected(w *Watcher) {
	const (
		web, mail      = "web.depot.svc.cluster.local.", "mail.depot.svc.cluster.local."
		webPod, jobPod = "10-9-0-1.depot.pod.cluster.local.", "10-9-0-9.depot.pod.cluster.local."
		depot, cellar  = "depot.svc.cluster.local.", "cellar.svc.cluster.local."
	)
	c.expect(w, web, typeA, "10.9.0.1")
	c.expect(w, mail, typeA, nxDomain)
	c.expect(w, webPod, typeA, "10.9.0.1")
	c.expect(w, jobPod, typeA, nxDomain)
	c.expect(w, cellar, typeA, nxDomain)

	c.label("services", "depot", "web", "app=other")
	c.expect(w, web, typeA, nxDomain)
	c.label("services", "depot", "mail", "app=web")
	c.expect(w, mail, typeA, "10.9.0.3")
	c.label("pods", "depot", "web-0", "app=other")
	c.expect(w, webPod, typeA, nxDomain)
	c.label("endpointslices", "depot", "mail-1", "app=other")
	c.expect(w, mail, typeA, nxDomain)
	c.label("namespaces", "", "cellar", "team=a")
	c.expect(w, cellar, typeA, noData)
	c.label("namespaces", "", "depot", "team=b")
	c.expect(w, depot, typeA, nxDomain)
	c.label("namespaces", "", "cellar", "team=b")
	c.expect(w, cellar, typeA, nxDomain)
}
