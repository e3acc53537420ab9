package publish

import (
	"fmt"
	"strings"
	"testing"
)

// listening returns listeners of a Gateway at these ports, open to all Namespaces and ListenerSets.
func listening(ports ...int) string {
	var all []string
	for _, p := range ports {
		all = append(all, fmt.Sprintf("{name: at-%d, port: %[1]d, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}", p))
	}
	return "listeners: [" + strings.Join(all, ", ") + "], allowedListeners: {namespaces: {from: All}}"
}

// sliceText returns an EndpointSlice infra/NAME of a Service.
func sliceText(service, name string, ports ...string) string {
	return fmt.Sprintf("{kind: EndpointSlice, metadata: {name: %s, namespace: infra, labels: {kubernetes.io/service-name: %s}}, addressType: IPv4, ports: [%s], endpoints: [{addresses: [10.0.0.1]}]}",
		name, service, strings.Join(ports, ", "))
}

// setText returns a ListenerSet town/more of the Gateway infra/front.
func setText(port int) string {
	return fmt.Sprintf(`{kind: ListenerSet, metadata: {name: more, namespace: town}, spec: {parentRef: {name: front, namespace: infra},
		listeners: [{name: http, port: %d, protocol: HTTP}]}, status: {conditions: [{type: Accepted, status: "True"}]}}`, port)
}

// A listener may have the port of the Pods, to which the Service leads. So it is with Traefik, whose chart
// has the ports 80 and 443 lead to web and websecure, 8000 and 8443 in the Pods.
func TestInsidePortOfThePods(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", listening(8000, 8443)))
	w.apply(routeText("a", "shop.example.org", front))
	for ports, want := range map[string]string{
		"{port: 80, targetPort: 8000}, {port: 443, targetPort: 8443}":                               "10.96.0.1",
		"{port: 8000}, {port: 8443}":                                                                "10.96.0.1",
		"{port: 80, targetPort: 8000}":                                                              "192.0.2.1", // who uses the other listener finds nothing there
		"{port: 80, targetPort: 8000}, {port: 8443, targetPort: 9443}":                              "192.0.2.1", // a listener's port means one thing
		"{port: 80}, {port: 443}":                                                                   "192.0.2.1",
		"{port: 80, targetPort: 8000, protocol: UDP}, {port: 443, targetPort: 8443, protocol: UDP}": "192.0.2.1",
	} {
		w.apply(lbText("traefik", "10.96.0.1", "{ip: 192.0.2.1}", ports))
		if got := w.within("shop.example.org."); strings.TrimSpace(got) != want {
			t.Errorf("behind %s: %s, want %s", ports, got, want)
		}
	}
}

// The number behind a port that the Service only names is in its EndpointSlices, by the name of the
// Service's port, whenever they come or change.
func TestInsideNamedPortOfThePods(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", listening(8000, 8443)))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(lbText("traefik", "10.96.0.1", "{ip: 192.0.2.1}", "{name: http, port: 80, targetPort: web}", "{name: https, port: 443, targetPort: websecure}"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(sliceText("other", "other-a", "{name: http, port: 8000}", "{name: https, port: 8443}"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(sliceText("traefik", "traefik-a", "{name: http, port: 8000}", "{name: https, port: 8443}"))
	w.wantInside("shop.example.org.", "10.96.0.1")
	w.apply(sliceText("traefik", "traefik-a", "{name: https, port: 8000}", "{name: http, port: 8443, protocol: UDP}"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(sliceText("traefik", "traefik-b", "{name: http, port: 8000}", "{name: https, port: 8443}")) // while Pods are replaced
	w.wantInside("shop.example.org.", "10.96.0.1")
	w.remove(sliceText("traefik", "traefik-b"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.want("shop.example.org.", "192.0.2.1")

	w.apply(sliceText("traefik", "traefik-a", "{name: http, port: 8000}", "{name: https, port: 8443}"))
	w.apply(lbText("traefik", "10.96.0.2", "{ip: 192.0.2.1}", "{name: http, port: 80, targetPort: web}", "{name: https, port: 443, targetPort: websecure}"))
	w.wantInside("shop.example.org.", "10.96.0.2")
	w.apply(sliceText("other", "traefik-a", "{name: http, port: 8000}", "{name: https, port: 8443}"))
	w.wantInside("shop.example.org.", "192.0.2.1")
}

// A Service that leads to the listener's port and another that has that port itself may share an address.
// Which one is meant is not known then: nobody is led to one that does not serve what is asked for.
func TestInsidePortOfSeveralServices(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", listening(8080)))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(lbText("one", "10.96.0.1", "{ip: 192.0.2.1}", "{port: 80, targetPort: 8080}"))
	w.wantInside("shop.example.org.", "10.96.0.1")
	w.apply(lbText("two", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 8080, targetPort: 9000}"))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(strings.Replace(lbText("two", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 8080, targetPort: 9000}"),
		"namespace: infra", "namespace: infra, labels: {gateway.networking.k8s.io/gateway-name: front}", 1))
	w.wantInside("shop.example.org.", "10.96.0.2")
}

// A load balancer may have a Service of its own for UDP, with the address and the port of the one for TCP,
// as Traefik's chart makes one for HTTP/3.
func TestInsideOfAnotherProtocol(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", listening(443)))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(ingressText("town", "web", "web.example.org", "{ip: 192.0.2.1}"))
	w.apply(lbText("quic", "10.96.0.1", "{ip: 192.0.2.1}", "{port: 443, protocol: UDP}"))
	w.wantInside("shop.example.org.", "192.0.2.1", "web.example.org.", "192.0.2.1")
	w.apply(lbText("web", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 443}"))
	w.wantInside("shop.example.org.", "10.96.0.2", "web.example.org.", "10.96.0.2")
	w.apply(gatewayText("front", "192.0.2.1", strings.Replace(listening(443, 53), "port: 53, protocol: HTTP", "port: 53, protocol: UDP", 1)))
	w.wantInside("shop.example.org.", "192.0.2.1")
	w.apply(lbText("web", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 443}", "{port: 53, protocol: UDP}"))
	w.wantInside("shop.example.org.", "10.96.0.2")
}

// Who has a name by a ListenerSet uses its ports, and not those of the Gateway's own listeners.
func TestInsidePortsOfAListenerSet(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", listening(80)))
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(routeText("b", "set.example.org", "{kind: ListenerSet, name: more}"))
	w.apply(setText(8080))
	w.apply(lbText("lb", "10.96.0.1", "{ip: 192.0.2.1}", "{port: 80}"))
	w.wantInside("shop.example.org.", "10.96.0.1", "set.example.org.", "192.0.2.1")
	w.apply(lbText("lb", "10.96.0.1", "{ip: 192.0.2.1}", "{port: 80}", "{port: 8080}"))
	w.wantInside("shop.example.org.", "10.96.0.1", "set.example.org.", "10.96.0.1")
	w.apply(setText(9090))
	w.wantInside("shop.example.org.", "10.96.0.1", "set.example.org.", "192.0.2.1")
	w.apply(setText(80))
	w.apply(lbText("lb", "10.96.0.2", "{ip: 192.0.2.1}", "{port: 80}"))
	w.wantInside("shop.example.org.", "10.96.0.2", "set.example.org.", "10.96.0.2")
}
