package publish

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// newInsideWorld is a world with names inside, and outside as well.
func newInsideWorld(t testing.TB, change ...func(*Settings)) *world {
	outside := newWorld(t, change...)
	w := newWorld(t, append(change, func(s *Settings) { s.Inside = true })...)
	w.outside = outside
	return w
}

// within returns what a name has inside, as text.
func (w *world) within(host string) string {
	node, exists := w.store.Load().Published(hostname.DomainKey(host))
	if !exists || node.Published == nil {
		return "nothing"
	}
	var words []string
	for _, a := range node.Published.Addrs {
		words = append(words, a.String())
	}
	return strings.Join(append(words, node.Published.Alias), " ")
}

// wantInside fails the test unless each name has what follows it, an alias with its dot.
func (w *world) wantInside(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.TrimSpace(w.within(pairs[i])); got != pairs[i+1] {
			w.t.Errorf("inside, %s has %s, want %s", pairs[i], got, pairs[i+1])
		}
	}
}

// lbText returns a Service infra/NAME with a load balancer's address, or with what else is in the
// list of its ingress points.
func lbText(name, clusterIP, ingress string, ports ...string) string {
	if len(ports) == 0 {
		ports = []string{"{port: 80}", "{port: 443}"}
	}
	return fmt.Sprintf("{kind: Service, metadata: {name: %s, namespace: infra}, spec: {type: LoadBalancer, clusterIPs: [%s], ports: [%s]}, status: {loadBalancer: {ingress: [%s]}}}",
		name, clusterIP, strings.Join(ports, ", "), ingress)
}

// labelledText returns a Service infra/NAME without a load balancer that belongs to a Gateway.
func labelledText(name, clusterIP, gateway string) string {
	return fmt.Sprintf("{kind: Service, metadata: {name: %s, namespace: infra, labels: {gateway.networking.k8s.io/gateway-name: %s}}, spec: {clusterIP: %s, ports: [{port: 80}]}}",
		name, gateway, clusterIP)
}

// ingressText returns an Ingress NAMESPACE/NAME of the class nginx.
func ingressText(namespace, name, host, ingress string) string {
	return fmt.Sprintf("{kind: Ingress, metadata: {name: %s, namespace: %s}, spec: {ingressClassName: nginx, rules: [{host: %q}]}, status: {loadBalancer: {ingress: [%s]}}}",
		name, namespace, host, ingress)
}

func TestInsideByLabelOfTheGateway(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(routeText("a", "shop.example.org", front))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(labelledText("front-istio", "10.96.0.1", "front"))
	w.wantInside("shop.example.org.", "10.96.0.1")
	w.want("shop.example.org.", "192.0.2.1")
	w.apply(labelledText("front-istio", "10.96.0.1", "other"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(strings.Replace(labelledText("front-istio", "10.96.0.1", "front"), "infra", "town", 1))
	w.wantInside("shop.example.org.", "192.0.2.1")
}

func TestInsideByAddress(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(ingressText("town", "web", "web.example.org", `{ip: 192.0.2.1}, {ip: "2001:db8::1"}`))
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(routeText("a", "shop.example.org", front))
	w.wantInside("web.example.org.", "192.0.2.1 2001:db8::1", "shop.example.org.", "192.0.2.1")
	w.apply(lbText("ingress", `10.96.0.1, "fd00::1"`, `{ip: 192.0.2.1}`))
	w.wantInside("web.example.org.", "10.96.0.1 fd00::1", "shop.example.org.", "10.96.0.1 fd00::1")
	w.apply(lbText("ingress", "10.96.0.2", `{ip: 192.0.2.2}`))
	w.wantInside("web.example.org.", "192.0.2.1 2001:db8::1", "shop.example.org.", "192.0.2.1")
	w.apply("{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {clusterIP: 10.96.0.3, externalIPs: [192.0.2.1], ports: [{port: 80}]}}")
	w.wantInside("web.example.org.", "10.96.0.3", "shop.example.org.", "10.96.0.3")
	w.remove("{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {}}")
	w.wantInside("web.example.org.", "192.0.2.1 2001:db8::1")
	w.want("web.example.org.", "192.0.2.1 2001:db8::1")
}

func TestInsideByHostnameOfTheLoadBalancer(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(ingressText("town", "web", "*.wild.example.org", "{hostname: lb.example.com}"))
	w.wantInside("*.wild.example.org.", "lb.example.com.")
	w.apply(lbText("ingress", "10.96.0.1", "{hostname: LB.example.com}"))
	w.wantInside("*.wild.example.org.", "10.96.0.1")
	w.want("*.wild.example.org.", "lb.example.com.")
}

// The Service of another protocol may have the address too: the one that has the ports is meant, and
// none if several have.
func TestInsideOfASharedAddress(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(strings.Replace(gatewayText("front", "192.0.2.1", open), "port: 80", "port: 8443", 1))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(lbText("sql", "10.96.0.1", "{ip: 192.0.2.1}", "{port: 5432}"))
	w.wantInside("web.example.org.", "192.0.2.1", "shop.example.org.", "192.0.2.1")
	w.apply(lbText("ingress", "10.96.0.2", "{ip: 192.0.2.1}"))
	w.wantInside("web.example.org.", "10.96.0.2", "shop.example.org.", "192.0.2.1")
	w.apply(lbText("gateway", "10.96.0.3", "{ip: 192.0.2.1}", "{port: 8443}"))
	w.wantInside("web.example.org.", "10.96.0.2", "shop.example.org.", "10.96.0.3")
	w.apply(lbText("other", "10.96.0.4", "{ip: 192.0.2.1}", "{port: 443}"))
	w.wantInside("web.example.org.", "192.0.2.1", "shop.example.org.", "10.96.0.3")
}

func TestInsideServiceOfAnIngressClass(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.InsideServices = "nginx=infra/ingress,other=infra/nowhere" })
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 198.51.100.1}"))
	w.apply(strings.Replace(ingressText("town", "two", "two.example.org", "{ip: 198.51.100.1}"), "nginx", "other", 1))
	w.wantInside("web.example.org.", "198.51.100.1")
	w.apply("{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {type: NodePort, clusterIP: 10.96.0.1, ports: [{port: 8080}]}}")
	w.wantInside("web.example.org.", "10.96.0.1", "two.example.org.", "198.51.100.1")
	w.apply("{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {clusterIP: None, ports: [{port: 8080}]}}")
	w.wantInside("web.example.org.", "198.51.100.1")
}

// A Service that the Corefile names and that is not there costs one line, once everything is known.
func TestInsideServiceThatIsNotThere(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.InsideServices = "nginx=infra/ingress,other=infra/nowhere" })
	w.apply("{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}}")
	w.set.Settle()
	if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "insideService other: there is no Service infra/nowhere with a ClusterIP") {
		t.Errorf("%q", w.warnings)
	}
}

// A name inside needs no load balancer if its Service is known without: the one of an Ingress class, or
// the Service of type LoadBalancer itself. Outside there is no such name.
func TestInsideWithoutALoadBalancer(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.InsideServices = "nginx=infra/ingress" })
	w.apply(ingressText("town", "web", "web.example.org", ""))
	w.apply(strings.Replace(ingressText("town", "two", "two.example.org", ""), "nginx", "other", 1))
	w.apply(lbText("game", "10.96.0.2", ""))
	w.wantInside("web.example.org.", "nothing", "two.example.org.", "nothing", "game.infra.example.org.", "10.96.0.2")
	service := "{kind: Service, metadata: {name: ingress, namespace: infra}, spec: {type: NodePort, clusterIP: 10.96.0.1, ports: [{port: 80}]}}"
	w.apply(service)
	w.wantInside("web.example.org.", "10.96.0.1", "two.example.org.", "nothing", "ingress.infra.example.org.", "nothing")
	w.want("web.example.org.", "nothing", "game.infra.example.org.", "nothing")
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.wantInside("web.example.org.", "10.96.0.1")
	w.want("web.example.org.", "192.0.2.1")
	w.apply(ingressText("town", "web", "web.example.org", ""))
	w.remove(service)
	w.wantInside("web.example.org.", "nothing")
	w.want("web.example.org.", "nothing")
}

// The label that takes a Service's own names away does not hide it from the names of others.
func TestInsideOfAServiceThatWantsNoNames(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(strings.Replace(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"), "namespace: infra", `namespace: infra, labels: {k8s-gateway.dns/ignore: "true"}`, 1))
	w.wantInside("web.example.org.", "10.96.0.1", "ingress.infra.example.org.", "nothing")
	w.want("ingress.infra.example.org.", "nothing")
}

// A load balancer of mode Proxy must be passed: what stands behind it may expect its header.
func TestInsideIPMode(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	for ingress, want := range map[string]string{
		"{ip: 192.0.2.1, ipMode: Proxy}": "192.0.2.1",
		"{ip: 192.0.2.1, ipMode: VIP}":   "10.96.0.1",
		"{ip: 192.0.2.1}":                "10.96.0.1",
	} {
		w.apply(lbText("ingress", "10.96.0.1", ingress))
		w.wantInside("web.example.org.", want, "ingress.infra.example.org.", want)
	}
	w.apply(gatewayText("front", "192.0.2.9", open))
	w.apply(routeText("a", "shop.example.org", front))
	labelled := strings.Replace(lbText("front", "10.96.0.9", "{ip: 192.0.2.9, ipMode: Proxy}"), "namespace: infra", "namespace: infra, labels: {gateway.networking.k8s.io/gateway-name: front}", 1)
	w.apply(labelled)
	w.wantInside("shop.example.org.", "192.0.2.9")
	w.apply(strings.Replace(labelled, "Proxy", "VIP", 1))
	w.wantInside("shop.example.org.", "10.96.0.9")
}

// So must that of a Service which the Corefile names, and the other Service with the address counts.
func TestInsideIPModeOfOthers(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.InsideServices = "nginx=infra/ingress" })
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1, ipMode: Proxy}"))
	w.wantInside("web.example.org.", "192.0.2.1")
	w.apply(lbText("other", "10.96.0.2", "{ip: 192.0.2.1}"))
	w.wantInside("web.example.org.", "192.0.2.1")
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.9, ipMode: Proxy}"))
	w.wantInside("web.example.org.", "10.96.0.2")
	w.remove(lbText("other", "10.96.0.2", ""))
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.8}, {ip: 192.0.2.1, ipMode: Proxy}"))
	w.apply(strings.Replace(ingressText("town", "two", "two.example.org", "{ip: 192.0.2.1}"), "nginx", "other", 1))
	w.wantInside("two.example.org.", "192.0.2.1", "web.example.org.", "10.96.0.1")
	w.apply(strings.Replace(ingressText("town", "two", "two.example.org", "{ip: 192.0.2.8}, {ip: 192.0.2.1}"), "nginx", "other", 1))
	w.wantInside("two.example.org.", "192.0.2.8 192.0.2.1")
}

// An address of a Gateway that only the cluster can reach is the one inside, and not shown outside.
func TestInsideRoutabilityOfAGateway(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(labelledText("front-istio", "10.96.0.1", "front"))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply("{kind: Gateway, metadata: {name: front, namespace: infra}, spec: {gatewayClassName: istio, " + open + "}, status: {addresses: [{value: 192.0.2.1}, {value: 10.96.0.7, routability: Cluster}]}}")
	w.wantInside("shop.example.org.", "10.96.0.7")
	w.want("shop.example.org.", "192.0.2.1")
	w.apply("{kind: Gateway, metadata: {name: front, namespace: infra}, spec: {gatewayClassName: istio, " + open + "}, status: {addresses: [{value: 10.96.0.7, routability: Cluster}]}}")
	w.wantInside("shop.example.org.", "10.96.0.7")
	w.want("shop.example.org.", "nothing")
	w.apply("{kind: Gateway, metadata: {name: front, namespace: infra}, spec: {gatewayClassName: istio, " + open + "}, status: {addresses: [{type: Hostname, value: front.infra.svc.cluster.local, routability: Cluster}]}}")
	w.want("shop.example.org.", "nothing")
}

func TestInsideOnlyListedZones(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"))
	for i, host := range []string{"web.example.org", "web.example.com", "web.low.example.org", "kubernetes.default.svc.cluster.local", "example.org"} {
		w.apply(ingressText("town", fmt.Sprint("web", i), host, "{ip: 192.0.2.1}"))
	}
	w.wantInside("web.example.org.", "10.96.0.1", "web.low.example.org.", "10.96.0.1", "example.org.", "10.96.0.1",
		"web.example.com.", "nothing", "kubernetes.default.svc.cluster.local.", "nothing",
		"ingress.infra.example.org.", "10.96.0.1", "ingress.infra.low.example.org.", "10.96.0.1", "ingress.infra.example.com.", "nothing")
	w.want("web.example.com.", "nothing")
}

// With the property, a Namespace may name what its label says, and only that, from when it says so.
func TestInsideLabelOfANamespace(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.InsideLabel = "names.example.com" })
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"))
	w.apply(ingressText("town", "a", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(ingressText("town", "b", "web.low.example.org", "{ip: 192.0.2.1}"))
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(routeText("a", "shop.example.org", front))
	w.wantInside("web.example.org.", "nothing", "web.low.example.org.", "nothing", "shop.example.org.", "nothing")
	w.apply(`{kind: Namespace, metadata: {name: town, labels: {names.example.com/example.org: "true"}}}`)
	w.wantInside("web.example.org.", "10.96.0.1", "web.low.example.org.", "nothing", "shop.example.org.", "10.96.0.1")
	w.apply(`{kind: Namespace, metadata: {name: town, labels: {names.example.com/low.example.org: "true"}}}`)
	w.wantInside("web.example.org.", "nothing", "web.low.example.org.", "10.96.0.1", "shop.example.org.", "nothing")
	w.want("web.example.org.", "192.0.2.1", "shop.example.org.", "192.0.2.1")
}

// The older of two objects wins inside as well; but not if its Namespace may not name the zone.
func TestInsideOlderWins(t *testing.T) {
	dated := func(text, year string) string {
		return strings.Replace(text, "metadata: {", "metadata: {creationTimestamp: \""+year+"-01-01T00:00:00Z\", ", 1)
	}
	w := newInsideWorld(t, func(s *Settings) { s.InsideLabel = "names.example.com" })
	w.apply(`{kind: Namespace, metadata: {name: town, labels: {names.example.com/example.org: "true"}}}`)
	w.apply(`{kind: Namespace, metadata: {name: village, labels: {names.example.com/example.org: "true"}}}`)
	w.apply(dated(ingressText("town", "young", "web.example.org", "{ip: 192.0.2.1}"), "2026"))
	w.apply(dated(ingressText("village", "old", "web.example.org", "{ip: 192.0.2.2}"), "2025"))
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"))
	w.wantInside("web.example.org.", "192.0.2.2")
	w.apply(`{kind: Namespace, metadata: {name: village}}`)
	w.wantInside("web.example.org.", "10.96.0.1")
	w.want("web.example.org.", "192.0.2.2")
	if len(w.warnings) != 1 {
		t.Errorf("warnings: %q", w.warnings)
	}
}

func TestInsideNoTexts(t *testing.T) {
	w := newInsideWorld(t)
	w.apply("{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: text.example.org, recordType: TXT, targets: [a]}, " +
		"{dnsName: both.example.org, recordType: A, targets: [192.0.2.1]}, {dnsName: both.example.org, recordType: TXT, targets: [a]}]}}")
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"))
	w.wantInside("text.example.org.", "", "both.example.org.", "192.0.2.1")
}

// Names of Services are shown inside only if Services are among the resources.
func TestInsideWithoutServices(t *testing.T) {
	w := newInsideWorld(t, func(s *Settings) { s.Kinds = Ingresses })
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}"))
	w.wantInside("web.example.org.", "10.96.0.1", "ingress.infra.example.org.", "nothing")
	w.want("ingress.infra.example.org.", "nothing")
}

// Whatever came before, what is shown inside depends only on the objects that are there.
func TestInsideDependsOnTheObjectsAlone(t *testing.T) {
	documents := []string{
		gatewayText("front", "192.0.2.1", open), gatewayText("front", "192.0.2.2", open), routeText("a", "shop.example.org", front),
		ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"), ingressText("village", "web", "web.example.org", "{ip: 192.0.2.2}"),
		lbText("lb", "10.96.0.1", "{ip: 192.0.2.1}"), lbText("lb", "10.96.0.1", "{ip: 192.0.2.2}"), lbText("other", "10.96.0.2", "{ip: 192.0.2.2}"),
		labelledText("front-istio", "10.96.0.3", "front"), labelledText("front-istio", "10.96.0.3", "none"),
		ingressText("town", "web", "web.example.org", ""), lbText("lb", "10.96.0.1", ""), lbText("named", "10.96.0.4", ""),
		gatewayText("front", "192.0.2.1", listening(8000)), lbText("lb", "10.96.0.1", "{ip: 192.0.2.1}", "{name: web, port: 80, targetPort: web}"),
		lbText("other", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 80, targetPort: 8000}"),
		sliceText("lb", "a", "{name: web, port: 8000}"), sliceText("lb", "a", "{name: web, port: 9000}"), sliceText("other", "a", "{name: web, port: 8000}"),
		setText(8000), setText(80), routeText("b", "set.example.org", "{kind: ListenerSet, name: more}"),
	}
	kept := map[string]string{}
	named := func(s *Settings) { s.InsideServices = "nginx=infra/named" }
	random, w := rand.New(rand.NewPCG(1, 2)), newInsideWorld(t, named)
	key := regexp.MustCompile(`kind: \w+, metadata: {name: [\w-]+, namespace: \w+`).FindString
	for range 1000 {
		document := documents[random.IntN(len(documents))]
		if random.IntN(3) == 0 {
			w.remove(document)
			delete(kept, key(document))
		} else {
			w.apply(document)
			kept[key(document)] = document
		}
		fresh := newInsideWorld(t, named)
		for _, document := range kept {
			fresh.apply(document)
		}
		for _, host := range []string{"shop.example.org.", "web.example.org.", "lb.infra.example.org.", "other.infra.example.org.", "named.infra.example.org.", "set.example.org."} {
			if got, want := w.within(host), fresh.within(host); got != want {
				t.Fatalf("%s has %s, and %s from the same objects", host, got, want)
			}
		}
	}
	s := w.set.inside
	for document := range kept {
		w.remove(kept[document])
	}
	if n := len(s.owners) + len(s.seekers) + len(s.members) + len(s.leads) + len(s.targets); n != 0 {
		t.Errorf("%d entries are left of no object", n)
	}
}
