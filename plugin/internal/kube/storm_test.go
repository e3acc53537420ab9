package kube

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

const (
	stormNamespaces = 3
	stormServices   = 4
	stormSlices     = 6
	stormAddresses  = 8
	stormSteps      = 60
)

// storm changes objects of an API server by chance.
type storm struct {
	*testCluster
	random *rand.Rand
}

func (s *storm) namespace() string { return fmt.Sprint("storm-", s.random.IntN(stormNamespaces)) }
func (s *storm) address() string   { return fmt.Sprint("10.9.0.", s.random.IntN(stormAddresses)) }
func (s *storm) name(n int) string { return fmt.Sprint("o", s.random.IntN(n)) }

// step makes one change.
func (s *storm) step() {
	switch s.random.IntN(12) {
	case 0:
		s.removeNamespace(s.namespace())
	case 1, 2, 3:
		s.service()
	case 4:
		s.gone(s.Client().CoreV1().Services(s.namespace()).Delete(s.t.Context(), s.name(stormServices), metav1.DeleteOptions{}))
	case 5:
		s.gone(s.Client().DiscoveryV1().EndpointSlices(s.namespace()).Delete(s.t.Context(), s.name(stormSlices), metav1.DeleteOptions{}))
	case 6:
		s.pod()
	default:
		s.slice()
	}
}

// service makes a Service of one of three types, in the place of one of any type.
func (s *storm) service() {
	namespace, name := s.namespace(), s.name(stormServices)
	s.gone(s.Client().CoreV1().Services(namespace).Delete(s.t.Context(), name, metav1.DeleteOptions{}))
	spec := []string{
		"{ports: [{name: http, port: 80}]}",
		"{clusterIP: None, ports: [{name: http, port: 80}]}",
		"{type: ExternalName, externalName: db.example.com}",
	}[s.random.IntN(3)]
	s.put(namespace, fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s, labels: {kind: x%s}}\nspec: %s\n", name, namespace, s.labels(), spec))
}

// slice makes an EndpointSlice, or moves it with its addresses to another Service.
func (s *storm) slice() {
	namespace := s.namespace()
	s.put(namespace, fmt.Sprintf(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, namespace: %s, labels: {kubernetes.io/service-name: %s%s}}
addressType: IPv4
endpoints:
- {addresses: [%s], hostname: h%d}
- {addresses: [%s], conditions: {ready: %t}}
ports: [{name: http, port: 8080}]
`, s.name(stormSlices), namespace, s.name(stormServices), s.labels(), s.address(), s.random.IntN(2), s.address(), s.random.IntN(2) == 0))
}

func (s *storm) pod() {
	namespace := s.namespace()
	s.put(namespace, fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s, labels: {kind: x%s}}
spec: {containers: [{name: web, image: web}]}
status: {phase: Running, podIP: %s, podIPs: [{ip: %[4]s}]}
`, s.name(stormSlices), namespace, s.labels(), s.address()))
}

// labels returns further labels, by which an object is selected or not.
func (s *storm) labels() string {
	return []string{"", ", tier: a", `, tier: a, service.kubernetes.io/headless: ""`}[s.random.IntN(3)]
}

// put applies an object, with its Namespace.
func (s *storm) put(namespace, text string) {
	s.t.Helper()
	team := []string{"a", "b"}[s.random.IntN(2)]
	s.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace + ", labels: {team: " + team + "}}\n---\n" + text)
}

// removeNamespace removes a Namespace with everything in it, as its controller does.
func (s *storm) removeNamespace(name string) {
	ctx, at := s.t.Context(), *metav1.NewDeleteOptions(0)
	namespaces := s.Client().CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, name, at); err != nil {
		s.gone(err)
		return
	}
	services, err := s.Client().CoreV1().Services(name).List(ctx, metav1.ListOptions{})
	s.gone(err)
	for i := range services.Items {
		s.gone(s.Client().CoreV1().Services(name).Delete(ctx, services.Items[i].Name, at))
	}
	s.gone(s.Client().DiscoveryV1().EndpointSlices(name).DeleteCollection(ctx, at, metav1.ListOptions{}))
	s.gone(s.Client().CoreV1().Pods(name).DeleteCollection(ctx, at, metav1.ListOptions{}))
	ns, err := namespaces.Get(ctx, name, metav1.GetOptions{})
	s.gone(err)
	ns.Spec.Finalizers = nil
	_, err = namespaces.Finalize(ctx, ns, metav1.UpdateOptions{})
	s.gone(err)
}

// gone accepts that an object is not there.
func (s *storm) gone(err error) {
	s.t.Helper()
	if err != nil && !apierrors.IsNotFound(err) {
		s.t.Fatal(err)
	}
}

// answers returns the answer to each question about what a storm can make.
func (s *storm) answers(w *Watcher) string {
	var all strings.Builder
	note := func(qtype uint16, form string, args ...any) {
		name := fmt.Sprintf(form, args...)
		fmt.Fprintf(&all, "%s %d %s\n", name, qtype, ask(s.t, w.Store(), name, qtype))
	}
	for i := range stormAddresses {
		note(typePTR, "%d.0.9.10.in-addr.arpa.", i)
	}
	for n := range stormNamespaces {
		for i := range stormAddresses {
			note(typeA, "10-9-0-%d.storm-%d.pod.cluster.local.", i, n)
		}
		note(typeA, "storm-%d.svc.cluster.local.", n)
		for o := range stormServices {
			note(typeA, "o%d.storm-%d.svc.cluster.local.", o, n)
			note(typeAAAA, "o%d.storm-%d.svc.cluster.local.", o, n)
			note(typeSRV, "_http._tcp.o%d.storm-%d.svc.cluster.local.", o, n)
			for h := range 2 {
				note(typeA, "h%d.o%d.storm-%d.svc.cluster.local.", h, o, n)
			}
		}
	}
	return all.String()
}

// stormyWatcher is a Watcher that does not reach the API server directly.
type stormyWatcher struct {
	*Watcher
	name string
	cfg  Config
}

// A Watcher behind a hostile proxy has, after each storm, what a new one has that asks the API
// server itself. So has one whose watches were down while everything changed.
func TestStorms(t *testing.T) {
	c := newCluster(t, controlplane.Options{})
	s := &storm{c, rand.New(rand.NewPCG(1, 2))}
	pods, selected := Config{Pods: true}, Config{Pods: true, HeadlessOnly: true, Labels: "tier=a", NamespaceLabels: "team=a"}
	gate := newGate(t, c.Cluster)
	var proxies []*hostileProxy
	var watchers []stormyWatcher
	for i, of := range []struct {
		name string
		cfg  Config
		edit func(*server)
	}{
		{"streaming", pods, func(*server) {}},
		{"plain", pods, plain},
		{"selected", selected, func(*server) {}},
		{"cut off", pods, func(*server) {}},
	} {
		behind := of.cfg
		behind.QPS, behind.Burst = 100, 100
		if behind.Endpoint = gate.URL; of.name != "cut off" {
			proxy := newHostileProxy(t, c.Cluster, uint64(i))
			proxies, behind.Endpoint = append(proxies, proxy), proxy.URL
		}
		w, _ := c.watcher(behind, nil, of.edit)
		<-w.Synced()
		watchers = append(watchers, stormyWatcher{w, of.name, of.cfg})
	}
	set := func(hostile bool) {
		gate.set(hostile)
		for _, proxy := range proxies {
			proxy.hostile.Store(hostile)
		}
	}
	for round := range 3 {
		set(true)
		for range stormSteps {
			s.step()
		}
		set(false)
		for _, w := range watchers {
			s.compare(round, w)
		}
	}
	for _, proxy := range proxies {
		t.Log(proxy)
	}
}

// compare waits until a Watcher answers as a new one.
func (s *storm) compare(round int, w stormyWatcher) {
	s.t.Helper()
	fresh, stop := s.watcher(w.cfg, nil)
	defer stop()
	<-fresh.Synced()
	want := s.answers(fresh)
	await.Success(s.t, 50*time.Millisecond, time.Minute, func(context.Context) error {
		if diff := cmp.Diff(want, s.answers(w.Watcher)); diff != "" {
			return fmt.Errorf("round %d: %s differs from a new one: %s", round, w.name, diff)
		}
		return nil
	})
}
