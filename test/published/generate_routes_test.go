package published

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// place is where routes may lead to.
type place struct {
	name, namespace, class, listener string
	addrs                            []netip.Addr
}

// places are the Gateways. Only the first one's addresses change.
var places = []place{
	{"front", "infra", "istio", "", []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8:f::1")}},
	{"front", "town", "istio", "", []netip.Addr{netip.MustParseAddr("198.51.100.2")}},
	{"back", "infra", "other", "", []netip.Addr{netip.MustParseAddr("198.51.100.3")}},
	{"narrow", "infra", "istio", "*.narrow.example.org", []netip.Addr{netip.MustParseAddr("198.51.100.4")}},
	{"closed", "infra", "istio", "", []netip.Addr{netip.MustParseAddr("198.51.100.5")}},
}

var movedFront = []netip.Addr{netip.MustParseAddr("198.51.100.101")}

// gateways returns the Gateways of a round. All but closed take routes from everywhere.
func gateways(round int) string {
	var all strings.Builder
	for i, p := range places {
		from, addresses := "All", p.addrs
		if p.name == "closed" {
			from = "Same"
		}
		if i == 0 && round > 0 {
			addresses = movedFront
		}
		all.WriteString(p.yaml(from, addresses))
	}
	all.WriteString(listenerSet)
	return all.String()
}

func (p place) yaml(from string, addrs []netip.Addr) string {
	host := ""
	if p.listener != "" {
		host = fmt.Sprintf("hostname: %q, ", p.listener)
	}
	var addresses []string
	for _, a := range addrs {
		addresses = append(addresses, fmt.Sprintf("{type: IPAddress, value: %q}", a))
	}
	routes := fmt.Sprintf("allowedRoutes: {namespaces: {from: %s}}", from)
	return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: %s}
spec:
  gatewayClassName: %s
  allowedListeners: {namespaces: {from: All}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, %s%s}
  - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}, %[4]s%[5]s}
status: {addresses: [%[6]s]}
`, p.name, p.namespace, p.class, host, routes, strings.Join(addresses, ", "))
}

const listenerSet = `---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: town}
spec: {parentRef: {name: back, namespace: infra}, listeners: [{name: more, port: 8080, protocol: HTTP}]}
status:
  conditions: [{type: Accepted, status: "True", reason: Accepted, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]
`

// ref returns a parentRef.
func (p place) ref() string {
	return fmt.Sprintf("{group: gateway.networking.k8s.io, kind: Gateway, name: %s, namespace: %s}", p.name, p.namespace)
}

// at returns the addresses of a Gateway now.
func (g *generator) at(p place) []netip.Addr {
	if g.round > 0 && p.addrs[0] == places[0].addrs[0] {
		return movedFront
	}
	return p.addrs
}

func (g *generator) route(kind string, i int) {
	label, _, _ := g.next(kind)
	t := &thing{kind: kind, class: "istio", hosts: []string{g.host(label)}}
	refs := []string{places[0].ref()}
	t.has.addrs = g.at(places[0])
	switch i % 6 {
	case 1:
		t.hosts = append(t.hosts, g.host("also-"+label))
	case 2:
		t.hosts = []string{"*." + g.host(label)}
	case 3:
		refs = append(refs, places[1].ref())
		t.has.addrs = slices.Concat(t.has.addrs, places[1].addrs)
	case 4:
		refs = []string{"{group: gateway.networking.k8s.io, kind: Gateway, name: front}"}
		t.has.addrs = places[1].addrs
	case 5:
		refs, t.class = []string{places[2].ref()}, places[2].class
		t.has.addrs = places[2].addrs
	}
	t.names = shown(t.hosts...)
	g.addRoute(t, label, "True", refs...)
}

func (g *generator) addRoute(t *thing, name, accepted string, refs ...string) {
	t.id = t.kind + " town/" + name
	t.yaml = route(t.kind, name, accepted, t.hosts, refs)
	g.add(t)
}

func route(kind, name, accepted string, hosts, refs []string) string {
	var parents []string
	for _, ref := range refs {
		parents = append(parents, fmt.Sprintf(
			"{controllerName: example.org/a, parentRef: %s, conditions: [{type: Accepted, status: %q, reason: A, message: \"\", lastTransitionTime: \"2026-01-01T00:00:00Z\", observedGeneration: 1}]}",
			ref, accepted))
	}
	names := ""
	if len(hosts) > 0 {
		names = fmt.Sprintf("hostnames: [%s], ", `"`+strings.Join(hosts, `", "`)+`"`)
	}
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: %s
metadata: {name: %s, namespace: town}
spec: {%sparentRefs: [%s], rules: [{backendRefs: [{name: web, port: 80}]}]}
status: {parents: [%s]}
`, kind, name, names, strings.Join(refs, ", "), strings.Join(parents, ", "))
}
