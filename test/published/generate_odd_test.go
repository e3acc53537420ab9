package published

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// The entries that objects of their own show, by the beginning of their rows.
const (
	unaccepted  = "a route that no controller has accepted"
	hostless    = "a route without hostnames"
	secondRef   = "the second of two parentRefs"
	byListeners = "a route that names a ListenerSet"
	classless   = "an Ingress without a class"
	hostnames   = "a load balancer's or a Gateway's hostname"
	aliases     = "CNAME records of a DNSEndpoint"
	contested   = "two objects with one name"
	twoKinds    = "texts and addresses of one name"
	elsewhere   = "an Ingress, a route or a DNSEndpoint with a host outside"
	manyNames   = "a DNSEndpoint with several names"
	capitals    = "a DNSEndpoint whose name has capital letters"
)

// oddities makes what the listed differences are about, and the servers.
func (g *generator) oddities() {
	g.servers()
	for range 4 {
		g.oddRoutes()
		g.oddIngresses()
		g.oddEndpoints()
		g.oddPairs()
	}
	g.apexWildcard()
}

// servers makes the Services of the name servers.
func (g *generator) servers() {
	for i, name := range []string{"dns1", "dns2"} {
		t := &thing{kind: "Service", hosts: []string{name + ".kube-system"}, names: []string{name + ".kube-system"}}
		t.has.addrs = []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(53 + i)}), netip.MustParseAddr(fmt.Sprintf("2001:db8:53::%d", i+1))}
		g.n = 1 // never gone
		g.addServiceIn(t, "kube-system", name, "", "", balancer(t.has.addrs))
	}
	g.n = 1000
}

func (g *generator) oddRoutes() {
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute"} {
		label, _, _ := g.next(kind)
		g.addRoute(&thing{kind: kind, class: "istio", odd: unaccepted, hosts: []string{g.host(label)}}, label, "False", places[0].ref())
		label, _, _ = g.next(kind)
		g.addRoute(&thing{kind: kind, class: "istio", odd: unaccepted, hosts: []string{g.host(label)}}, label, "True", places[3].ref())
		label, _, _ = g.next(kind)
		g.addRoute(&thing{kind: kind, class: "istio", odd: unaccepted, hosts: []string{g.host(label)}}, label, "True", places[4].ref())

		label, _, _ = g.next(kind)
		second := &thing{kind: kind, class: "istio", odd: secondRef, hosts: []string{g.host(label)}}
		second.names, second.has.addrs = shown(second.hosts...), slices.Concat(g.at(places[0]), places[1].addrs)
		g.addRoute(second, label, "True", places[0].ref(), "{group: gateway.networking.k8s.io, kind: Gateway, name: front}")
	}
	label, _, _ := g.next("HTTPRoute")
	set := &thing{kind: "HTTPRoute", class: places[2].class, odd: byListeners, hosts: []string{g.host(label)}}
	set.names, set.has.addrs = shown(set.hosts...), places[2].addrs
	g.addRoute(set, label, "True", "{group: gateway.networking.k8s.io, kind: ListenerSet, name: more}")
	label, _, _ = g.next("HTTPRoute")
	outside := &thing{kind: "HTTPRoute", class: "istio", odd: elsewhere, hosts: []string{label + ".example.com"}}
	g.addRoute(outside, label, "True", places[0].ref())
	if label, _, _ = g.next("HTTPRoute"); len(g.byOdd(hostless)) == 0 {
		any := &thing{kind: "HTTPRoute", class: "istio", odd: hostless, names: []string{places[3].listener + "."}}
		any.has.addrs = places[3].addrs
		g.addRoute(any, label, "True", places[3].ref())
	}
}

// byOdd returns the things that show an entry.
func (w *world) byOdd(entry string) (found []*thing) {
	for _, t := range w.things {
		if t.odd == entry {
			found = append(found, t)
		}
	}
	return found
}

func (g *generator) oddIngresses() {
	label, four, _ := g.next("Ingress")
	without := &thing{kind: "Ingress", odd: classless, hosts: []string{g.host(label)}}
	without.names, without.has.addrs = shown(without.hosts...), []netip.Addr{four}
	g.addIngress(without, label, "", without.hosts, balancer(without.has.addrs))

	label, _, _ = g.next("Ingress")
	named := &thing{kind: "Ingress", class: "nginx", odd: hostnames, hosts: []string{g.host(label)}}
	named.names, named.has.alias = shown(named.hosts...), "localhost."
	g.addIngress(named, label, "", named.hosts, "{hostname: localhost}")

	for _, host := range []string{"short", "%s.example.com"} {
		label, four, _ = g.next("Ingress")
		if host == "short" {
			host += "-%s"
		}
		away := &thing{kind: "Ingress", class: "nginx", odd: elsewhere, hosts: []string{fmt.Sprintf(host, label)}}
		g.addIngress(away, label, "", away.hosts, balancer([]netip.Addr{four}))
	}
	label, _, _ = g.next("Service")
	service := &thing{kind: "Service", odd: hostnames, hosts: []string{label + ".town"}, names: []string{label + ".town"}}
	service.has.alias = "localhost."
	g.addService(service, label, "", "", "{hostname: localhost}")
}

func (g *generator) oddEndpoints() {
	label, four, six := g.next("DNSEndpoint")
	alias := &thing{kind: "DNSEndpoint", odd: aliases, hosts: []string{g.host(label)}}
	alias.names, alias.has.alias = shown(alias.hosts...), "localhost."
	g.addEndpoint(alias, label, endpoint(alias.hosts[0], "CNAME", "localhost"))

	label, _, _ = g.next("DNSEndpoint")
	host := g.host(label)
	g.several(label, "one-"+host, "two-"+host, four, six)

	for _, odd := range []string{strings.ToUpper(label) + "-Big", label + "-dotted"} {
		label, four, _ = g.next("DNSEndpoint")
		big := &thing{kind: "DNSEndpoint", odd: capitals, hosts: []string{g.host(odd)}}
		big.names, big.has.addrs = shown(big.hosts...), []netip.Addr{four}
		name := big.hosts[0]
		if strings.HasSuffix(odd, "dotted") {
			name += "."
		}
		g.addEndpoint(big, label, endpoint(name, "A", four.String()))
	}
	label, four, _ = g.next("DNSEndpoint")
	away := &thing{kind: "DNSEndpoint", odd: elsewhere, hosts: []string{label + ".example.com"}}
	g.addEndpoint(away, label, endpoint(away.hosts[0], "A", four.String()))
}

// several makes a DNSEndpoint with two names, each with an address of its own.
func (g *generator) several(name, one, two string, four, six netip.Addr) {
	first := &thing{kind: "DNSEndpoint", odd: manyNames, hosts: []string{one}, names: shown(one), has: records{addrs: []netip.Addr{four}}}
	second := &thing{kind: "DNSEndpoint", odd: manyNames, hosts: []string{two}, names: shown(two), has: records{addrs: []netip.Addr{six}}}
	g.addEndpoint(first, name, endpoint(one, "A", four.String())+", "+endpoint(two, "AAAA", six.String()))
	if second.id = "part of " + first.id; !g.gone() {
		g.things = append(g.things, second)
	}
}

// oddPairs makes two objects with one name. The first one made, which is also first by its name,
// has it.
func (g *generator) oddPairs() {
	label, four, six := g.next("Ingress")
	host := g.host(label)
	t := &thing{kind: "Ingress", class: "nginx", odd: contested, hosts: []string{host}, names: shown(host), has: records{addrs: []netip.Addr{four}}}
	t.id = "Ingress town/a-" + label
	t.yaml = ingress("a-"+label, "nginx", "", t.hosts, balancer(t.has.addrs)) + "---" +
		ingress("b-"+label, "nginx", "", t.hosts, balancer([]netip.Addr{six}))
	g.add(t)

	label, four, _ = g.next("DNSEndpoint")
	host = g.host(label)
	both := &thing{kind: "Ingress", class: "nginx", odd: twoKinds, hosts: []string{host}, names: shown(host)}
	both.has = records{addrs: []netip.Addr{four}, texts: []string{"beside"}}
	both.id = "Ingress town/a-" + label
	both.yaml = ingress("a-"+label, "nginx", "", both.hosts, balancer(both.has.addrs)) + "---" + endpoints("b-"+label, endpoint(host, "TXT", "beside"))
	g.add(both)
}

// apexWildcard makes a wildcard directly below a zone, and below a name with names below it alone.
func (g *generator) apexWildcard() {
	_, four, _ := g.next("Ingress")
	g.n = 1
	t := &thing{kind: "Ingress", class: "nginx", hosts: []string{"*.example.net", "deep.below.ent.example.net", "*.wild.example.net"}, has: records{addrs: []netip.Addr{four}}}
	t.names = shown(t.hosts...)
	g.addIngress(t, "apex-wildcard", "", t.hosts, balancer(t.has.addrs))
	g.addIngress(&thing{kind: "Ingress", class: "nginx"}, "without-host", "", []string{""}, balancer(t.has.addrs))
}
