package kube

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// crowd is a writer with a Gateway and 2,000 routes, which have 5,000 hostnames.
type crowd struct {
	w      *writer
	routes resource
}

const crowdRoutes = 2000

func newCrowd(t testing.TB) *crowd {
	t.Helper()
	cfg := Config{Published: publish.Settings{Kinds: publish.HTTPRoutes, Zones: "example.org."}, PublishedOnly: true}
	c := &crowd{w: newWriter(clock.RealClock{}, nopObserver{}, cfg.Published)}
	all, err := newResources(cfg, c.w)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		switch r.about().kind {
		case "HTTPRoute":
			c.routes = r
		case "Gateway":
			c.apply(t, r, `{"metadata":{"name":"front","namespace":"infra"},"spec":{"gatewayClassName":"istio",
				"listeners":[{"name":"http","port":80,"protocol":"HTTP","allowedRoutes":{"namespaces":{"from":"All"}}}]},"status":{"addresses":[{"value":"192.0.2.1"}]}}`)
		}
	}
	return c
}

func (c *crowd) apply(t testing.TB, r resource, text string) {
	t.Helper()
	obj := r.newObject()
	if err := json.Unmarshal([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	txn := c.w.store.Begin()
	r.event(obj.(metav1.Object))(txn)
	txn.Commit()
}

// route returns a route with two or three hostnames.
func route(i int, variant string) string {
	hosts := fmt.Sprintf(`"%sshop-%d.customer-%d.example.org","www.shop-%[2]d.customer-%[3]d.example.org"`, variant, i, i%100)
	if i%2 == 0 {
		hosts += fmt.Sprintf(`,"api.shop-%d.customer-%d.example.org"`, i, i%100)
	}
	return fmt.Sprintf(`{"metadata":{"name":"route-%d","namespace":"customer-%d","creationTimestamp":"2026-01-01T00:00:00Z"},
		"spec":{"hostnames":[%s],"parentRefs":[{"name":"front","namespace":"infra"}]},
		"status":{"parents":[{"parentRef":{"name":"front","namespace":"infra"},"conditions":[{"type":"Accepted","status":"True"}]}]}}`, i, i%100, hosts)
}

// All that is kept of 2,000 routes takes at most 4 MB.
func TestMemoryOfRoutes(t *testing.T) {
	c := newCrowd(t)
	before := int64(clustertest.Heap())
	for i := range crowdRoutes {
		c.apply(t, c.routes, route(i, ""))
	}
	added := int64(clustertest.Heap()) - before
	t.Logf("%d routes take %d bytes, of which the snapshot has %d", crowdRoutes, added, c.w.store.Load().Size().Published)
	if added > 4<<20 {
		t.Errorf("%d bytes", added)
	}
	if n := c.routes.count(); n != crowdRoutes {
		t.Errorf("%d routes", n)
	}
	runtime.KeepAlive(c)
}

// BenchmarkRouteChange measures a change of one route among many, from its JSON to the snapshot.
func BenchmarkRouteChange(b *testing.B) {
	c := newCrowd(b)
	for i := range crowdRoutes {
		c.apply(b, c.routes, route(i, ""))
	}
	for i := 0; b.Loop(); i++ {
		c.apply(b, c.routes, route(7, []string{"a-", "b-"}[i%2]))
	}
}

// A Namespace that namespace_labels hides has no names of its own, and its labels let its routes in all the same.
func TestLabelsOfHiddenNamespaces(t *testing.T) {
	cfg := Config{NamespaceLabels: "team=a", NoEndpoints: true, Published: publish.Settings{Kinds: publish.HTTPRoutes, Zones: "example.org."}}
	c := &crowd{w: newWriter(clock.RealClock{}, nopObserver{}, cfg.Published)}
	all, err := newResources(cfg, c.w)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]resource{}
	for _, r := range all {
		by[r.about().kind] = r
	}
	c.apply(t, by["Gateway"], `{"metadata":{"name":"front","namespace":"infra"},"spec":{"gatewayClassName":"istio","listeners":[{"name":"http","port":80,"protocol":"HTTP",
		"allowedRoutes":{"namespaces":{"from":"Selector","selector":{"matchLabels":{"shop":"open"}}}}}]},"status":{"addresses":[{"value":"192.0.2.1"}]}}`)
	c.apply(t, by["HTTPRoute"], strings.Replace(route(0, ""), "customer-0\"", "town\"", 1))
	for _, tc := range []struct {
		labels       string
		shown, named bool
	}{
		{`"shop":"open"`, false, true},
		{`"shop":"open","team":"a"`, true, true},
		{`"team":"a"`, true, false},
		{`"shop":"open","team":"b"`, false, true},
	} {
		c.apply(t, by["Namespace"], `{"metadata":{"name":"town","labels":{`+tc.labels+`}}}`)
		s := c.w.store.Load()
		_, named := s.Published("\x06shop-0\x0acustomer-0\x07example\x03org\x00")
		if shown := s.HasNamespace("town"); shown != tc.shown || named != tc.named {
			t.Errorf("%s: shown %v, its route has names %v", tc.labels, shown, named)
		}
	}
	if !by["Namespace"].about().labels.Empty() {
		t.Error("the API server leaves Namespaces out")
	}
}

// A list removes the routes that are gone, and their names.
func TestRoutesOfAList(t *testing.T) {
	c := newCrowd(t)
	for i := range 10 {
		c.apply(t, c.routes, route(i, ""))
	}
	txn := c.w.store.Begin()
	c.routes.begin()(txn)
	obj := c.routes.newObject()
	if err := json.Unmarshal([]byte(route(3, "")), obj); err != nil {
		t.Fatal(err)
	}
	c.routes.put(obj.(metav1.Object))(txn)
	c.routes.end()(txn)
	txn.Commit()
	has := func(label string) bool {
		_, exists := c.w.store.Load().Published(label)
		return exists
	}
	name := func(i int) string {
		return fmt.Sprintf("\x06shop-%d\x0acustomer-%d\x07example\x03org\x00", i, i)
	}
	if !has(name(3)) || has(name(4)) || c.routes.count() != 1 {
		t.Errorf("names %v and %v, %d routes", has(name(3)), has(name(4)), c.routes.count())
	}
	if _, exists := c.w.store.Load().Published("\x0acustomer-4\x07example\x03org\x00"); exists {
		t.Error("a name without names below it remains")
	}
}

// Names wait for the kinds that have them, and the rest of the cluster does not wait for names.
func TestNamesWaitForTheirKinds(t *testing.T) {
	cfg := Config{Published: publish.Settings{Kinds: publish.Ingresses | publish.Services, Zones: "example.org."}, NoEndpoints: true}
	w := newWriter(clock.RealClock{}, nopObserver{}, cfg.Published)
	all, err := newResources(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	end := func(kind string, of func(resource) change) {
		for _, r := range all {
			if r.about().kind == kind {
				txn := w.store.Begin()
				of(r)(txn)
				w.commit(txn)
			}
		}
	}
	state := func() [2]bool { return [2]bool{w.store.Load().Synced(), w.store.Load().NamesSynced()} }
	end("Service", resource.end)
	end("Namespace", resource.end)
	if got := state(); got != [2]bool{true, false} {
		t.Errorf("without Ingresses: %v", got)
	}
	end("Ingress", resource.waive)
	if got := state(); got != [2]bool{true, true} {
		t.Errorf("with all: %v", got)
	}
	if all[0].about().kind != "Service" || len(all) != 3 {
		t.Errorf("%d resources", len(all))
	}
}

// The observer hears how many names are contested, also of a claim that changes no name.
func TestContestedNamesAreReported(t *testing.T) {
	seen := newObservations()
	cfg := Config{Published: publish.Settings{Kinds: publish.Ingresses, Zones: "example.org."}, PublishedOnly: true}
	w := newWriter(clock.RealClock{}, seen, cfg.Published)
	all, err := newResources(cfg, w)
	if err != nil {
		t.Fatal(err)
	}
	r := all[0]
	claim := func(namespace, address string) {
		obj := r.newObject()
		text := fmt.Sprintf(`{"metadata":{"name":"a","namespace":%q},"spec":{"rules":[{"host":"shop.example.org"}]},"status":{"loadBalancer":{"ingress":[{"ip":%q}]}}}`, namespace, address)
		if err := json.Unmarshal([]byte(text), obj); err != nil {
			t.Fatal(err)
		}
		txn := w.store.Begin()
		r.event(obj.(metav1.Object))(txn)
		r.end()(txn)
		w.commit(txn)
	}
	for _, tc := range []struct {
		namespace, address string
		want               int
	}{{"a", "192.0.2.1", 0}, {"b", "192.0.2.2", 1}, {"b", "192.0.2.1", 0}, {"c", "192.0.2.3", 1}} {
		if claim(tc.namespace, tc.address); seen.contested != tc.want {
			t.Errorf("%s: %d names are contested, want %d", tc.namespace, seen.contested, tc.want)
		}
	}
}
