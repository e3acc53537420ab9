package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// A running server knows of objects what DNS needs: no Pods but for their addresses, and no endpoint that is not
// ready. This file makes objects of that.

// touched is what a name in a zone of the cluster may stand for.
type touched struct {
	cluster.Key          // the Service, whose name is empty for the name of a Namespace
	below       []string // labels before it
	pod         bool     // Name is the address of a Pod
}

// touches returns what a name may stand for, or false for a name of no such form.
func (e *explainer) touches(name string) (touched, bool) {
	at := e.placeOf(name)
	if at.served == nil {
		return touched{}, false
	}
	before := e.served
	e.served = *at.served
	defer func() { e.served = before }()
	zone, ours := e.zoneOf(at.name)
	if !ours {
		return touched{}, false
	}
	return touchedIn(at.name, zone)
}

func touchedIn(name, zone string) (t touched, ok bool) {
	labels := dns.SplitDomainName(strings.TrimSuffix(strings.TrimSuffix(name, zone), "."))
	n := len(labels)
	if n < 2 || labels[n-1] != "svc" && labels[n-1] != "pod" {
		return t, false
	}
	t.pod, t.Namespace = labels[n-1] == "pod", labels[n-2]
	if n > 2 {
		t.Name, t.below = labels[n-3], labels[:n-3]
	}
	return t, true
}

// objectsKnown returns what the server knows of the objects that the questions touch, the Services of the same names in other
// Namespaces, and those of the same Namespaces.
func (e *explainer) objectsKnown() *objects.Set {
	s := e.snapshot()
	o := &objects.Set{Namespaces: map[string]bool{}}
	var names, namespaces []string
	for _, name := range e.result.ResolvConf.Names(e.Name, Glibc) {
		if t, ok := e.touches(name); ok {
			o.Namespaces[t.Namespace] = s.HasNamespace(t.Namespace)
			names, namespaces = append(names, t.Name, t.Namespace), append(namespaces, t.Namespace)
		}
	}
	for n := range s.Nodes(false) {
		if n.Service != nil && (slices.Contains(names, n.Key.Name) || slices.Contains(namespaces, n.Key.Namespace)) {
			o.Services = append(o.Services, objects.ServiceOf(n.Service))
			o.Namespaces[n.Key.Namespace] = s.HasNamespace(n.Key.Namespace)
		}
	}
	return o
}

// podKnown returns the Pod that asks, if the command has seen it or the server watches Pods, whose names it does not keep.
func (e *explainer) podKnown() *objects.Pod {
	if e.Asker != nil {
		return podOf(e.Asker, e.Namespace, e.Pod)
	}
	id := convert.PodID(cluster.Key{Namespace: e.Namespace, Name: e.Pod})
	for p := range e.snapshot().Pods() {
		if p.ID != id {
			continue
		}
		made := &objects.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace, Name: e.Pod}}
		made.Spec.HostNetwork = p.HostNetwork
		if r := p.Resolver; r != nil {
			made.Spec.DNSPolicy, made.Spec.DNSConfig = corev1.DNSPolicy(r.Policy), configOf(r)
		}
		for a := range p.Addrs() {
			made.Status.PodIP = a.String()
			break
		}
		return made
	}
	return nil
}

// nameserversOfService returns the addresses of the Service that Pods ask, if the server knows it by its usual name.
func (e *explainer) nameserversOfService() (addrs []string) {
	n := e.snapshot().Service(cluster.Key{Namespace: system, Name: service})
	if n == nil || n.Service == nil || n.Service.Kind != cluster.ClusterIP {
		return nil
	}
	for _, a := range n.Service.ClusterIPs {
		addrs = append(addrs, a.String())
	}
	return addrs
}

// configOf returns what the server keeps of a Pod's dnsConfig.
func configOf(r *cluster.Resolver) *corev1.PodDNSConfig {
	config := new(corev1.PodDNSConfig)
	for _, wire := range r.Searches {
		if name, _, err := dns.UnpackDomainName([]byte(wire), 0); err == nil {
			config.Searches = append(config.Searches, trim(name))
		}
	}
	if r.Ndots >= 0 {
		n := strconv.Itoa(r.Ndots)
		config.Options = []corev1.PodDNSConfigOption{{Name: "ndots", Value: &n}}
	}
	return config
}

// knowsPods reports whether the server watches Pods.
func (e *explainer) knowsPods() bool {
	for range e.snapshot().Pods() {
		return true
	}
	return e.served.View.Pods == resolve.PodsVerified
}

// maxShown is the largest number of slices, and of addresses, that facts have.
const maxShown = 8

// factsKnown says what the server has of a Service's endpoints.
func (e *explainer) factsKnown(k cluster.Key) (facts []string) {
	n := e.snapshot().Service(k)
	if !e.known || n == nil {
		return nil
	}
	for _, s := range n.Slices[:min(len(n.Slices), maxShown)] {
		facts = append(facts, fmt.Sprintf("EndpointSlice %s/%s  %d ready: %s", s.Namespace, s.Name, s.Endpoints.Len(), addrsOf(&s.Endpoints)))
	}
	if more := len(n.Slices) - maxShown; more > 0 {
		facts = append(facts, fmt.Sprintf("and %d more EndpointSlices", more))
	}
	return facts
}

func addrsOf(list *cluster.Endpoints) string {
	var shown []string
	for end := range list.All() {
		if len(shown) == maxShown {
			shown = append(shown, "...")
			break
		}
		shown = append(shown, end.Addr.String())
	}
	return strings.Join(shown, " ")
}

// elsewhereToAsk is the remedy for what a running server cannot know.
const elsewhereToAsk = "run coredns explain with a kubeconfig: it sees the Pods, and says why they are not ready"

// noneKnown is for a headless Service of which the server has no endpoint.
func noneKnown(s *corev1.Service) Cause {
	return Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s is headless and the server has no ready endpoint of it, so its name does not exist", s.Namespace, s.Name), Remedy: elsewhereToAsk}
}

// noEndpointKnown is for the name of a Pod below a Service.
func noEndpointKnown(s *corev1.Service, label string) Cause {
	return Cause{weight: certain, Text: fmt.Sprintf("the server has no ready endpoint %s of Service %s/%s", label, s.Namespace, s.Name), Remedy: elsewhereToAsk}
}
