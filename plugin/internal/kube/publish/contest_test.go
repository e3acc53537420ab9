package publish

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// badObjects are objects with a part that is no name or no address, with what the log says of it, and
// a name that they have all the same.
var badObjects = []struct{ object, problem, name, want string }{
	{
		`{kind: Ingress, metadata: {name: a, namespace: town}, spec: {rules: [{host: "foo bar"}, {host: good.example.org}, {}]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {ip: 1.2.3}, {}]}}}`,
		`Ingress town/a: status.loadBalancer.ingress[1] "1.2.3" is neither an address nor a hostname, spec.rules[0].host "foo bar" is no hostname`,
		"good.example.org.", "192.0.2.1",
	},
	{
		`{kind: Service, metadata: {name: a, namespace: town, annotations: {coredns.io/hostname: "foo_bar, good.example.org,"}}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}`,
		`Service town/a: annotation coredns.io/hostname: "foo_bar" is no hostname`,
		"good.example.org.", "192.0.2.1",
	},
	{
		`{kind: Service, metadata: {name: a, namespace: town, annotations: {k8s-gateway.dns/resolve-endpoints: "true", coredns.io/hostname: good.example.org}}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}`,
		`Service town/a: annotation k8s-gateway.dns/resolve-endpoints is not supported: names lead to load balancers, not to Pods`,
		"good.example.org.", "192.0.2.1",
	},
	{
		`{kind: Node, metadata: {name: a}, status: {addresses: [{type: Hostname, address: "a_b"}, {type: Hostname, address: good.example.org}, {type: InternalIP, address: 10.0.0.1}, {type: InternalIP, address: x}]}}`,
		`Node a: status.addresses[0].address "a_b" is no hostname, status.addresses[3].address "x" is no address`,
		"good.example.org.", "10.0.0.1",
	},
	{
		`{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: "a b", recordType: A, targets: [192.0.2.1]}, {dnsName: good.example.org, recordType: A, targets: [bad, 192.0.2.1]},
  {dnsName: good.example.org, recordType: LOC, targets: [x]}]}}`,
		`DNSEndpoint town/a: spec.endpoints[0].dnsName "a b" is no domain name, spec.endpoints[1].targets[0] "bad" is no target of type A, spec.endpoints[2].recordType "LOC" is not shown`,
		"good.example.org.", "192.0.2.1",
	},
	{
		routeText("a", `"no name", "*", "*.*.example.org", good.example.org`, front),
		`HTTPRoute town/a: spec.hostnames[0] "no name" is no hostname, spec.hostnames[1] "*" is no hostname, spec.hostnames[2] "*.*.example.org" is no hostname`,
		"good.example.org.", "192.0.2.9",
	},
	{
		gatewayText("other", "nowhere", `listeners: [{name: a, port: 80, protocol: HTTP, hostname: "a_b"}]`),
		`Gateway infra/other: status.addresses[0].value "nowhere" is no address of its type, spec.listeners[0].hostname "a_b" is no hostname`,
		"good.example.org.", "nothing",
	},
	{
		`{kind: Ingress, metadata: {name: a, namespace: town}, spec: {rules: [{host: a_1}, {host: a_2}, {host: a_3}, {host: a_4}, {host: a_5}, {host: a_6}, {host: a_7}]}}`,
		`Ingress town/a: spec.rules[0].host "a_1" is no hostname, spec.rules[1].host "a_2" is no hostname, spec.rules[2].host "a_3" is no hostname, ` +
			`spec.rules[3].host "a_4" is no hostname, spec.rules[4].host "a_5" is no hostname, and more`,
		"good.example.org.", "nothing",
	},
}

// What is no name costs one line, however often the object comes, and the rest is shown.
func TestBadObjects(t *testing.T) {
	for _, tc := range badObjects {
		w := newWorld(t)
		w.settings.NodeAddress = "InternalIP"
		var told []string
		w.set.Complain = func(text string) { told = append(told, text) }
		w.apply(gatewayText("front", "192.0.2.9", open))
		w.apply(tc.object)
		w.apply(tc.object)
		w.remove(tc.object)
		w.apply(tc.object)
		w.want(tc.name, tc.want)
		if !slices.Equal(told, []string{tc.problem}) {
			t.Errorf("%q\n want %s", told, tc.problem)
		}
	}
}

// What gives no names is not told of: a Service without a load balancer, and one that is to be ignored.
func TestServicesWithoutNamesAreNotToldOf(t *testing.T) {
	const bad = `annotations: {coredns.io/hostname: foo_bar, k8s-gateway.dns/resolve-endpoints: "true"}`
	w := newWorld(t)
	w.set.Complain = func(text string) { t.Error(text) }
	w.apply(`{kind: Service, metadata: {name: a, namespace: town, annotations: {coredns.io/hostname: foo_bar}}, spec: {type: ClusterIP}}`)
	w.apply(`{kind: Service, metadata: {name: b, namespace: town, labels: {k8s-gateway.dns/ignore: "true"}, ` + bad + `}, spec: {type: LoadBalancer}}`)
}

// A log is not flooded, whoever writes the objects, and says that it has not all.
func TestBadObjectsAreToldWithinBounds(t *testing.T) {
	w := newWorld(t)
	told := 0
	w.set.Complain = func(string) { told++ }
	for i := range 2 * maxTold {
		w.apply(fmt.Sprintf(`{kind: Ingress, metadata: {name: a%d, namespace: town}, spec: {rules: [{host: a_b}]}}`, i))
	}
	if told != maxTold || len(w.set.told) > maxTold+1 || len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "not told until the next start") {
		t.Errorf("%d lines, and %q", told, w.warnings)
	}
}

// A line has only the beginning of a text that somebody wrote.
func TestBadTextsAreShortened(t *testing.T) {
	w := newWorld(t)
	var told string
	w.set.Complain = func(text string) { told = text }
	long := strings.Repeat("_", 100000)
	w.apply(`{kind: Ingress, metadata: {name: a, namespace: town}, spec: {rules: [{host: ` + long + `}]}}`)
	w.apply(`{kind: DNSEndpoint, metadata: {name: a, namespace: town}, spec: {endpoints: [{dnsName: ` + long + `, recordType: ` + long + `, targets: [` + long + `]}]}}`)
	if len(told) == 0 || len(told) > 1000 {
		t.Errorf("a line of %d octets", len(told))
	}
}

// A route that leads to nothing costs one line, but not before everything is known.
func TestRouteThatLeadsNowhere(t *testing.T) {
	w := newWorld(t)
	w.apply(routeText("early", "early.example.org", front))
	w.apply(routeText("lost", "lost.example.org", "{name: gone, namespace: infra}", "{kind: ListenerSet, name: gone}"))
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.set.Settle()
	w.set.Settle()
	w.apply(routeText("late", "late.example.org", "{name: gone, namespace: infra}", front))
	w.apply(routeText("late", "later.example.org", "{name: gone, namespace: infra}", front))
	slices.Sort(w.warnings)
	want := []string{
		"HTTPRoute town/late leads to Gateway infra/gone, which is not there",
		"HTTPRoute town/lost leads to Gateway infra/gone, which is not there",
		"HTTPRoute town/lost leads to ListenerSet town/gone, which is not there",
	}
	if !slices.Equal(w.warnings, want) {
		t.Errorf("%q", w.warnings)
	}
	w.want("early.example.org.", "192.0.2.1", "later.example.org.", "192.0.2.1", "lost.example.org.", "nothing")
}

// A Gateway of another class, or one that is to be ignored, is there all the same.
func TestRouteToAGatewayThatIsNotShown(t *testing.T) {
	w := newWorld(t)
	w.settings.GatewayClasses = "cloud"
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(strings.Replace(gatewayText("ignored", "192.0.2.1", open), "namespace: infra}", `namespace: infra, labels: {k8s-gateway.dns/ignore: "true"}}`, 1))
	w.set.Settle()
	w.apply(routeText("a", "a.example.org", front, "{name: ignored, namespace: infra}"))
	if w.want("a.example.org.", "nothing"); len(w.warnings) > 0 {
		t.Errorf("%q", w.warnings)
	}
}

// Two Gateways may have listeners with one hostname: a route at both has the addresses of both, and
// two routes are two objects with one name.
func TestTwoGatewaysWithOneHostname(t *testing.T) {
	w := newWorld(t)
	const own = `listeners: [{name: http, port: 80, protocol: HTTP, hostname: shop.example.org, allowedRoutes: {namespaces: {from: All}}}]`
	w.apply(gatewayText("front", "192.0.2.1", own))
	w.apply(gatewayText("back", "192.0.2.2", own))
	w.apply(routeText("a", "", front, "{name: back, namespace: infra}"))
	w.want("shop.example.org.", "192.0.2.1 192.0.2.2")
	w.apply(routeText("a", "", front))
	w.apply(routeText("b", "", "{name: back, namespace: infra}"))
	w.want("shop.example.org.", "192.0.2.1")
	if len(w.warnings) != 1 || w.set.Contested() != 1 {
		t.Errorf("%q, %d contested", w.warnings, w.set.Contested())
	}
}

// The number of contested names follows the objects, with and without an effect on the names.
func TestContested(t *testing.T) {
	w := newWorld(t)
	older, younger := ingressAt("town", "2026-01-01T00:00:00Z", "192.0.2.1"), ingressAt("city", "2026-01-02T00:00:00Z", "192.0.2.2")
	same := ingressAt("city", "2026-01-02T00:00:00Z", "192.0.2.1")
	text := func(name, text string) string {
		return fmt.Sprintf("{kind: DNSEndpoint, metadata: {name: %s, namespace: town}, spec: {endpoints: [{dnsName: shop.example.org, recordType: TXT, targets: [%s]}]}}", name, text)
	}
	count := func(want int) {
		t.Helper()
		if got := w.set.Contested(); got != want {
			t.Errorf("%d names are contested, want %d", got, want)
		}
	}
	w.apply(older)
	w.apply(text("a", "one"))
	count(0)
	w.apply(younger)
	count(1)
	w.apply(same)
	count(0)
	w.apply(text("b", "two"))
	count(1)
	w.want("shop.example.org.", `192.0.2.1 "one"`)
	w.remove(text("b", ""))
	w.apply(younger)
	count(1)
	w.remove(older)
	count(0)
	w.remove(younger)
	w.remove(text("a", ""))
	count(0)
	if len(w.warnings) != 2 || !strings.Contains(w.warnings[1], "DNSEndpoint town/b has the name shop.example.org., as DNSEndpoint town/a of the same age") {
		t.Errorf("%q", w.warnings)
	}
}

// The oldest object may have nothing but texts: of the others, the older one leads all the same, and
// the log tells.
func TestOldestHasTextsAlone(t *testing.T) {
	w := newWorld(t)
	w.apply("{kind: DNSEndpoint, metadata: {name: t, namespace: town}, spec: {endpoints: [{dnsName: shop.example.org, recordType: TXT, targets: [one]}]}}")
	w.apply(ingressAt("town", "2026-01-01T00:00:00Z", "192.0.2.1"))
	w.apply(ingressAt("city", "2026-01-02T00:00:00Z", "192.0.2.2"))
	w.want("shop.example.org.", `192.0.2.1 "one"`)
	if len(w.warnings) != 1 || !strings.HasPrefix(w.warnings[0], "Ingress city/a has the name") {
		t.Errorf("%q", w.warnings)
	}
}
