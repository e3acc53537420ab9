package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// balanced returns a Service of type LoadBalancer of a year, with an annotation or more.
func balanced(namespace, name, year, annotations, ip string) string {
	return fmt.Sprintf("{kind: Service, metadata: {name: %s, namespace: %s, creationTimestamp: \"%s-01-01T00:00:00Z\", annotations: {%s}}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: %s}]}}}",
		name, namespace, year, annotations, ip)
}

// A name that an object has below each zone is the same name as one that another has in full: the older wins,
// and the log tells.
func TestNamesBelowZonesAreContested(t *testing.T) {
	younger := strings.Replace(ingressAt("city", "2026-01-01T00:00:00Z", "192.0.2.2"), "shop.example.org", "web.town.example.org", 1)
	wildcard := strings.Replace(younger, "web.town.example.org", `"*.town.example.org"`, 1)
	for _, order := range [][]string{{younger, "service"}, {"service", younger}} {
		w := newWorld(t)
		for _, document := range order {
			w.apply(strings.ReplaceAll(document, "service", balanced("town", "web", "2025", "", "192.0.2.1")))
		}
		w.want("web.town.example.org.", "192.0.2.1", "web.town.example.net.", "192.0.2.1")
		if len(w.warnings) != 1 || w.set.Contested() != 1 {
			t.Errorf("%d contested, warnings %q", w.set.Contested(), w.warnings)
		}
	}
	w := newWorld(t)
	w.apply(balanced("town", "web", "2025", `coredns.io/hostname: "*.town"`, "192.0.2.1"))
	w.apply(wildcard)
	w.want("*.town.example.org.", "192.0.2.1", "*.town.example.net.", "192.0.2.1")
}

// A name of an annotation is as it stands in a zone that encloses it, and below the others; one that would be
// too long is not there.
func TestNamesInOrBelowZones(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 60)+".", 3) + strings.Repeat("y", 57)
	w := newWorld(t, func(s *Settings) { s.Zones = "example.org.,low.example.org.,town." })
	w.apply(balanced("town", "web", "2025", "coredns.io/hostname: 'a.low.example.org, b.town, c, d.example.com, x.low, "+long+"'", "192.0.2.1"))
	w.want("a.low.example.org.", "192.0.2.1", "a.low.example.org.example.org.", "nothing", "a.low.example.org.town.", "192.0.2.1", "b.town.", "192.0.2.1", "b.town.town.", "nothing", "b.town.example.org.", "192.0.2.1",
		"c.example.org.", "192.0.2.1", "c.low.example.org.", "192.0.2.1", "c.town.", "192.0.2.1", "d.example.com.example.org.", "192.0.2.1",
		"x.low.example.org.", "192.0.2.1", "x.low.low.example.org.", "192.0.2.1", long+".town.", "192.0.2.1")
	w.apply(balanced("town", "web", "2025", "", "192.0.2.1"))
	w.want("web.town.example.org.", "192.0.2.1", "web.town.town.", "192.0.2.1", "web.town.", "nothing", "c.town.", "nothing")
}

// Names in zones of others have nothing, and are not contested.
func TestZonesOfOthers(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Zones, s.Except = ".,example.org.", "cluster.local.,example.org." })
	for _, namespace := range []string{"town", "city"} {
		w.apply(strings.Replace(ingressAt(namespace, "2026-01-01T00:00:00Z", "192.0.2.1"), "{host: shop.example.org}", "{host: a.svc.cluster.local}, {host: cluster.local}, {host: shop.local}, {host: shop.example.org}", 1))
	}
	w.want("a.svc.cluster.local.", "nothing", "cluster.local.", "nothing", "shop.local.", "192.0.2.1", "shop.example.org.", "nothing")
	if w.set.Contested() != 0 {
		t.Errorf("%q", w.warnings)
	}
}

// Whether two objects have one name otherwise is judged once all that follows from a change has been published.
func TestChangesAtOnceAreNoContest(t *testing.T) {
	w := newInsideWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	for _, name := range []string{"a", "b", "c"} {
		w.apply(routeText(name, "shop.example.org", front))
		w.apply(ingressText("town", name, "web.example.org", "{ip: 192.0.2.1}"))
	}
	w.apply(gatewayText("front", "192.0.2.2", open))
	w.apply(lbText("ingress", "10.96.0.1", "{ip: 192.0.2.1}, {ip: 192.0.2.2}"))
	w.wantInside("shop.example.org.", "10.96.0.1", "web.example.org.", "10.96.0.1")
	w.apply(lbText("other", "10.96.0.2", "{ip: 192.0.2.1}, {ip: 192.0.2.2}"))
	w.wantInside("shop.example.org.", "192.0.2.2", "web.example.org.", "192.0.2.1")
	if all := slices.Concat(w.warnings, w.outside.warnings); len(all) > 0 {
		t.Errorf("%q", all)
	}
}

// The same addresses in another order are no contest, nor is an alias in other letter case.
func TestTheSameIsNoContest(t *testing.T) {
	const ingress = "{kind: Ingress, metadata: {name: a, namespace: %s}, spec: {rules: [{host: shop.example.org}]}, status: {loadBalancer: {ingress: [%s]}}}"
	for _, pair := range [][2]string{{"{ip: 192.0.2.1}, {ip: 192.0.2.2}", "{ip: 192.0.2.2}, {ip: 192.0.2.1}"}, {"{hostname: lb.example.com}", "{hostname: LB.example.com}"}} {
		w := newWorld(t)
		w.apply(fmt.Sprintf(ingress, "town", pair[0]))
		w.apply(fmt.Sprintf(ingress, "city", pair[1]))
		if w.set.Contested() != 0 || len(w.warnings) > 0 {
			t.Errorf("%q", w.warnings)
		}
	}
}

// The Service that apex names has that name, whatever labels and annotations it has, and whatever objects of
// other Namespaces want. An annotation in its own Namespace may give the name too.
func TestServersOfTheZones(t *testing.T) {
	w := newWorld(t, func(s *Settings) {
		s.Servers, s.ServiceLabels, s.Kinds = "dns1.kube-system,dns2.kube-system", "app=web", Ingresses|Services
	})
	const own, second = "dns1.kube-system.example.org.", "dns2.kube-system.example.net."
	thief := balanced("town", "thief", "2020", "coredns.io/hostname: dns1.kube-system", "192.0.2.66")
	w.apply(strings.Replace(thief, "namespace: town", "namespace: town, labels: {app: web}", 1))
	w.apply(strings.Replace(ingressAt("city", "2020-01-01T00:00:00Z", "192.0.2.67"), "shop.example.org", strings.TrimSuffix(own, "."), 1))
	w.want(own, "nothing", second, "nothing")
	slices.Sort(w.warnings)
	if len(w.warnings) != 2 || !strings.Contains(w.warnings[0], "Ingress city/a does not get the name "+own+": only objects of Namespace kube-system can have") {
		t.Errorf("%q", w.warnings)
	}
	w.apply(balanced("kube-system", "dns1", "2026", "", "192.0.2.53"))
	w.apply(balanced("kube-system", "dns2", "2026", "coredns.io/hostname: other", "192.0.2.54"))
	w.want(own, "192.0.2.53", "dns1.kube-system.example.net.", "192.0.2.53", second, "192.0.2.54", "other.example.org.", "nothing")
	w.remove(balanced("kube-system", "dns1", "2026", "", "192.0.2.53"))
	w.want(own, "nothing")
	w.apply(strings.Replace(balanced("kube-system", "other", "2026", "coredns.io/hostname: dns1.kube-system", "192.0.2.55"), "namespace: kube-system", "namespace: kube-system, labels: {app: web}", 1))
	w.want(own, "192.0.2.55")
}

// The Service of apex is read even if no Services are shown.
func TestServersWithoutServices(t *testing.T) {
	w := newWorld(t, func(s *Settings) { s.Servers, s.Kinds = "dns1.kube-system", Ingresses })
	w.apply(balanced("kube-system", "dns1", "2026", "", "192.0.2.53"))
	w.apply(balanced("town", "web", "2026", "", "192.0.2.1"))
	w.want("dns1.kube-system.example.org.", "192.0.2.53", "web.town.example.org.", "nothing")
	if !slices.ContainsFunc(w.settings.All(), func(k Kind) bool { return k.Name == "Service" }) {
		t.Error("Services are not read")
	}
}

// An alias has nothing beside it, so it and texts exclude each other: the older wins, and the log tells.
func TestAliasesBesideTexts(t *testing.T) {
	for _, tc := range []struct{ alias, want, winner string }{
		{"2024", "lb.example.com.", "Ingress town/a"},
		{"2026", `"one"`, "DNSEndpoint town/t"},
	} {
		for _, order := range [][2]string{{textAt("2025"), aliasAt("town", tc.alias)}, {aliasAt("town", tc.alias), textAt("2025")}} {
			w := newWorld(t)
			w.apply(order[0])
			w.apply(order[1])
			w.want("shop.example.org.", tc.want)
			if len(w.warnings) != 1 || w.set.Contested() != 1 || !strings.Contains(w.warnings[0], "as the older "+tc.winner) {
				t.Errorf("%d contested, warnings %q", w.set.Contested(), w.warnings)
			}
			w.remove(order[0])
			w.remove(textAt("2025"))
			w.apply(aliasAt("town", tc.alias))
			if w.want("shop.example.org.", "lb.example.com."); w.set.Contested() != 0 {
				t.Errorf("%d contested", w.set.Contested())
			}
		}
	}
	w := newWorld(t)
	w.apply(textAt("2024"))
	w.apply(aliasAt("town", "2025"))
	w.apply(ingressAt("city", "2026-01-01T00:00:00Z", "192.0.2.1"))
	w.want("shop.example.org.", `192.0.2.1 "one"`) // the alias does not count, so the address does
}

// What cannot be an alias does not become one, outside and inside, and the log tells: the zone's own name, which
// has SOA and NS records, and a name that would lead to itself.
func TestNamesThatAreNoAliases(t *testing.T) {
	for _, tc := range []struct{ host, why, within string }{
		{"example.org", "the own name of a zone cannot be an alias", ""},
		{"lb.example.org", "it would lead to itself", "nothing"},
	} {
		w := newInsideWorld(t)
		for _, world := range []*world{w, w.outside} {
			world.apply(strings.NewReplacer("shop.example.org", tc.host, "lb.example.com", "LB.Example.org").Replace(aliasAt("town", "2026")))
			world.apply("{kind: DNSEndpoint, metadata: {name: m, namespace: town}, spec: {endpoints: [{dnsName: example.org, recordType: MX, targets: [10 a.example.com]}]}}")
			if len(world.warnings) != 1 || !strings.Contains(world.warnings[0], tc.why) {
				t.Errorf("%s: %q", tc.host, world.warnings)
			}
		}
		w.want("example.org.", "MX 10 a.example.com.")
		w.wantInside(tc.host+".", tc.within)
	}
}
