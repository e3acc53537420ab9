package publish

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// world is a Set with the store that it publishes into.
type world struct {
	t        testing.TB
	outside  *world // of a world inside: the same objects as they are shown outside
	set      *Set
	store    *cluster.Store
	settings Settings
	objects  map[ID]*Object
	slices   map[cluster.Key]*cluster.Slice
	warnings []string
}

// newWorld is a world in the zones example.org, low.example.org and example.net.
func newWorld(t testing.TB, change ...func(*Settings)) *world {
	w := &world{t: t, store: cluster.NewStore(), settings: Settings{Kinds: 0xff, Zones: "example.net.,example.org.,low.example.org."}, objects: map[ID]*Object{}, slices: map[cluster.Key]*cluster.Slice{}}
	for _, f := range change {
		f(&w.settings)
	}
	w.set = NewSet(w.settings)
	w.set.Warn = func(text string) { w.warnings = append(w.warnings, text) }
	return w
}

// apply applies the objects of a YAML stream.
func (w *world) apply(text string) {
	w.t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		w.change(document, false)
	}
}

// remove removes the objects of a YAML stream.
func (w *world) remove(text string) {
	w.t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		w.change(document, true)
	}
}

func (w *world) change(document string, remove bool) {
	w.t.Helper()
	if w.outside != nil {
		w.outside.change(document, remove)
	}
	var about struct {
		Kind     string
		Metadata struct {
			Name, Namespace string
			Labels          map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(document), &about); err != nil {
		w.t.Fatal(err)
	}
	txn := w.store.Begin()
	defer txn.Commit()
	if about.Kind == "Namespace" {
		written := make([]string, 0, len(about.Metadata.Labels))
		for k, v := range about.Metadata.Labels {
			written = append(written, k+"="+v)
		}
		w.set.SetNamespace(txn, about.Metadata.Name, strings.Join(written, ","))
		return
	}
	key := cluster.Key{Namespace: about.Metadata.Namespace, Name: about.Metadata.Name}
	if about.Kind == "EndpointSlice" {
		w.replaceSlice(txn, key, document, remove)
		return
	}
	id := ID{about.Kind, key}
	old, now := w.objects[id], w.parse(about.Kind, document)
	if remove {
		now = nil
	}
	delete(w.objects, id)
	if now != nil {
		w.objects[id] = now
	}
	if old != nil || now != nil {
		w.set.Replace(txn, old, now)
	}
}

func (w *world) parse(kind, document string) *Object {
	w.t.Helper()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		w.t.Fatalf("no kind %s", kind)
	}
	obj := kinds[i].New()
	w.decode(document, obj)
	return kinds[i].Convert(w.settings, obj)
}

func (w *world) decode(document string, into any) {
	w.t.Helper()
	data, err := yaml.YAMLToJSON([]byte(document))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) replaceSlice(txn *cluster.Txn, key cluster.Key, document string, remove bool) {
	w.t.Helper()
	old := w.slices[key]
	if delete(w.slices, key); !remove {
		var slice discoveryv1.EndpointSlice
		w.decode(document, &slice)
		w.slices[key] = convert.New(convert.Settings{}).Slice(&slice)
	}
	if old != nil || !remove {
		w.set.ReplaceSlice(txn, old, w.slices[key])
	}
}

// published returns what a name has outside, as text.
func (w *world) published(host string) string {
	if w.outside != nil {
		return w.outside.published(host)
	}
	node, exists := w.store.Load().Published(hostname.DomainKey(host))
	switch {
	case !exists:
		return "nothing"
	case node.Published == nil:
		return "above"
	}
	var words []string
	for _, a := range node.Published.Addrs {
		words = append(words, a.String())
	}
	if node.Published.Alias != "" {
		words = append(words, node.Published.Alias)
	}
	for _, r := range node.Published.Records {
		hdr := dns.RR_Header{Name: ".", Rrtype: r.Type, Class: dns.ClassINET, Rdlength: uint16(len(r.Data))}
		rr, end, err := dns.UnpackRRWithHeader(hdr, []byte(r.Data), 0)
		if err != nil || end != len(r.Data) {
			w.t.Fatalf("%s: %q is no data of type %d: %v", host, r.Data, r.Type, err)
		}
		text := strings.TrimPrefix(rr.String(), rr.Header().String())
		if r.Type != dns.TypeTXT {
			text = dns.TypeToString[r.Type] + " " + text
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

// want fails the test unless each name has what follows it.
func (w *world) want(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := w.published(pairs[i]); got != pairs[i+1] {
			w.t.Errorf("%s has %s, want %s", pairs[i], got, pairs[i+1])
		}
	}
}

const open = `listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`

// gatewayText returns a Gateway infra/NAME with an address. A %s in spec stands for nothing.
func gatewayText(name, address, spec string) string {
	return fmt.Sprintf("{kind: Gateway, metadata: {name: %s, namespace: infra}, spec: {gatewayClassName: istio, %s}, status: {addresses: [{value: %q}]}}", name, spec, address)
}

// routeText returns an HTTPRoute town/NAME that its parents have accepted.
func routeText(name, hostnames string, parents ...string) string {
	return routeOfKind("HTTPRoute", name, hostnames, parents...)
}

func routeOfKind(kind, name, hostnames string, parents ...string) string {
	var statuses []string
	for _, p := range parents {
		statuses = append(statuses, "{parentRef: "+p+`, controllerName: a/b, conditions: [{type: Accepted, status: "True"}]}`)
	}
	return fmt.Sprintf("{kind: %s, metadata: {name: %s, namespace: town}, spec: {hostnames: [%s], parentRefs: [%s]}, status: {parents: [%s]}}",
		kind, name, hostnames, strings.Join(parents, ", "), strings.Join(statuses, ", "))
}

const front = "{name: front, namespace: infra}"

func TestRouteOfAGateway(t *testing.T) {
	w := newWorld(t)
	w.apply(routeText("a", "shop.example.org, Two.Example.org", front))
	w.want("shop.example.org.", "nothing")
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.want("shop.example.org.", "192.0.2.1", "two.example.org.", "192.0.2.1", "example.org.", "above", "org.", "above")
	w.apply(gatewayText("front", "192.0.2.2", open))
	w.want("shop.example.org.", "192.0.2.2")
	w.apply(gatewayText("front", "not an address", open))
	w.want("shop.example.org.", "nothing", "org.", "nothing")
	w.apply(gatewayText("front", "192.0.2.2", open))
	w.remove(routeText("a", "", front))
	w.want("shop.example.org.", "nothing", "org.", "nothing")
}

func TestOnlyAcceptedRoutes(t *testing.T) {
	w := newWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	for _, tc := range []struct{ status, want string }{
		{`{parentRef: {name: front, namespace: infra}, conditions: [{type: Accepted, status: "True"}]}`, "192.0.2.1"},
		{`{parentRef: {name: front, namespace: infra}, conditions: [{type: Accepted, status: "False"}]}`, "nothing"},
		{`{parentRef: {name: front, namespace: infra}, conditions: [{type: ResolvedRefs, status: "True"}]}`, "nothing"},
		{`{parentRef: {name: front}, conditions: [{type: Accepted, status: "True"}]}`, "nothing"},
		{`{parentRef: {name: front, namespace: infra, sectionName: http}, conditions: [{type: Accepted, status: "True"}]}`, "nothing"},
		{`{parentRef: {group: gateway.networking.k8s.io, kind: Gateway, name: front, namespace: infra}, conditions: [{type: Accepted, status: "True"}]}`, "192.0.2.1"},
		{"", "nothing"},
	} {
		w.apply("{kind: HTTPRoute, metadata: {name: a, namespace: town}, spec: {hostnames: [shop.example.org], parentRefs: [" + front + "]}, status: {parents: [" + tc.status + "]}}")
		if got := w.published("shop.example.org."); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.status, got, tc.want)
		}
	}
}

// Each reference has a Namespace of its own: the one of the first does not hold for the second.
func TestNamespaceOfEachParent(t *testing.T) {
	w := newWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(strings.Replace(gatewayText("near", "192.0.2.2", open), "infra", "town", 1))
	w.apply(routeText("a", "shop.example.org", front, "{name: near}"))
	w.want("shop.example.org.", "192.0.2.1 192.0.2.2")
}

func TestAllowedRoutes(t *testing.T) {
	w := newWorld(t)
	w.apply(routeText("a", "shop.example.org", front))
	allowed := func(text string) string {
		return gatewayText("front", "192.0.2.1", "listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {"+text+"}}]")
	}
	for _, tc := range []struct{ allowed, want string }{
		{"namespaces: {from: All}", "192.0.2.1"},
		{"namespaces: {from: Same}", "nothing"},
		{"", "nothing"},
		{"namespaces: {from: None}", "nothing"},
		{"namespaces: {from: Selector, selector: {matchLabels: {shop: open}}}", "192.0.2.1"},
		{"namespaces: {from: Selector, selector: {matchLabels: {shop: closed}}}", "nothing"},
		{"namespaces: {from: Selector, selector: {matchExpressions: [{key: shop, operator: In, values: [open, ajar]}]}}", "192.0.2.1"},
		{"namespaces: {from: Selector, selector: {matchExpressions: [{key: shop, operator: Never}]}}", "nothing"},
		{"namespaces: {from: Selector}", "nothing"},
		{"namespaces: {from: All}, kinds: [{kind: GRPCRoute}]", "nothing"},
		{"namespaces: {from: All}, kinds: [{kind: GRPCRoute}, {group: gateway.networking.k8s.io, kind: HTTPRoute}]", "192.0.2.1"},
		{"namespaces: {from: All}, kinds: [{group: example.org, kind: HTTPRoute}]", "nothing"},
	} {
		w.apply("{kind: Namespace, metadata: {name: town, labels: {shop: open}}}")
		w.apply(allowed(tc.allowed))
		if got := w.published("shop.example.org."); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.allowed, got, tc.want)
		}
	}
	w.apply(allowed("namespaces: {from: Selector, selector: {matchLabels: {shop: open}}}"))
	w.apply("{kind: Namespace, metadata: {name: town, labels: {shop: closed}}}")
	w.want("shop.example.org.", "nothing")
	w.apply("{kind: Namespace, metadata: {name: town, labels: {shop: open}}}")
	w.want("shop.example.org.", "192.0.2.1")
	txn := w.store.Begin()
	w.set.DeleteNamespace(txn, "town")
	txn.Commit()
	w.want("shop.example.org.", "nothing")
}

func TestKindsOfAProtocol(t *testing.T) {
	w := newWorld(t)
	for i, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute"} {
		w.apply(routeOfKind(kind, "a", fmt.Sprintf("r%d.example.org", i), front))
	}
	for protocol, want := range map[string]string{"HTTP": "yes yes no", "HTTPS": "yes yes no", "TLS": "no no yes", "TCP": "no no no", "example.org/own": "yes yes yes"} {
		w.apply(gatewayText("front", "192.0.2.1", "listeners: [{name: a, port: 80, protocol: "+protocol+", allowedRoutes: {namespaces: {from: All}}}]"))
		var got []string
		for i := range 3 {
			got = append(got, map[string]string{"192.0.2.1": "yes", "nothing": "no"}[w.published(fmt.Sprintf("r%d.example.org.", i))])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", protocol, got, want)
		}
	}
}

func TestSectionAndPort(t *testing.T) {
	w := newWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", `listeners: [
		{name: one, port: 80, protocol: HTTP, hostname: one.example.org, allowedRoutes: {namespaces: {from: All}}},
		{name: two, port: 81, protocol: HTTP, hostname: two.example.org, allowedRoutes: {namespaces: {from: All}}}]`))
	for _, tc := range []struct{ part, one, two string }{
		{"", "192.0.2.1", "192.0.2.1"},
		{", sectionName: one", "192.0.2.1", "nothing"},
		{", port: 81", "nothing", "192.0.2.1"},
		{", sectionName: one, port: 81", "nothing", "nothing"},
		{", sectionName: three", "nothing", "nothing"},
	} {
		w.apply(routeText("a", "one.example.org, two.example.org", "{name: front, namespace: infra"+tc.part+"}"))
		w.want("one.example.org.", tc.one, "two.example.org.", tc.two)
	}
}

// A route without hostnames has those of the listener.
func TestRouteWithoutHostnames(t *testing.T) {
	w := newWorld(t)
	w.apply(routeText("a", "", front))
	w.apply(gatewayText("front", "192.0.2.1", `listeners: [{name: a, port: 80, protocol: HTTP, hostname: "*.Example.org", allowedRoutes: {namespaces: {from: All}}}]`))
	w.want("*.example.org.", "192.0.2.1")
	w.apply(routeText("a", `"not a name"`, front))
	w.want("*.example.org.", "nothing")
}

func TestListenerSets(t *testing.T) {
	w := newWorld(t)
	set := func(condition, listeners string) string {
		return fmt.Sprintf(`{kind: ListenerSet, metadata: {name: more, namespace: town}, spec: {parentRef: {name: front, namespace: infra}, listeners: [%s]},
  status: {conditions: [{type: Accepted, status: %q}]}}`, listeners, condition)
	}
	const listener = "{name: own, port: 80, protocol: HTTP, hostname: \"*.town.example.org\"}"
	w.apply(routeText("a", "shop.town.example.org, shop.example.org", "{kind: ListenerSet, name: more}"))
	w.apply(set("True", listener))
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.want("shop.town.example.org.", "nothing") // by default a Gateway lets none in
	w.apply(gatewayText("front", "192.0.2.1", open+", allowedListeners: {namespaces: {from: All}}"))
	w.want("shop.town.example.org.", "192.0.2.1", "shop.example.org.", "nothing")
	w.apply(gatewayText("front", "192.0.2.1", open+", allowedListeners: {namespaces: {from: Same}}"))
	w.want("shop.town.example.org.", "nothing")
	w.apply("{kind: Namespace, metadata: {name: town, labels: {shop: open}}}")
	w.apply(gatewayText("front", "192.0.2.1", open+", allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {shop: open}}}}"))
	w.want("shop.town.example.org.", "192.0.2.1")
	w.apply("{kind: Namespace, metadata: {name: town}}")
	w.want("shop.town.example.org.", "nothing")
	w.apply(gatewayText("front", "192.0.2.3", open+", allowedListeners: {namespaces: {from: All}}"))
	w.want("shop.town.example.org.", "192.0.2.3")
	w.apply(set("False", listener))
	w.want("shop.town.example.org.", "nothing")
	w.apply(set("True", listener))
	w.remove(gatewayText("front", "", open))
	w.want("shop.town.example.org.", "nothing", "org.", "nothing")
}

// A listener that its controller has not accepted, of a Gateway or of a ListenerSet, has no names.
func TestListenersThatAreNotAccepted(t *testing.T) {
	const listeners = "listeners: [{name: good, port: 80, protocol: HTTP, hostname: '*.good.example.org'}, {name: bad, port: 81, protocol: HTTP, hostname: '*.bad.example.org'}]"
	const status = `{name: good, conditions: [{type: Accepted, status: "True"}]}, {name: bad, conditions: [{type: Accepted, status: "False"}, {type: Conflicted, status: "True"}]}`
	w := newWorld(t)
	w.apply("{kind: Gateway, metadata: {name: front, namespace: town}, spec: {" + listeners + ", allowedListeners: {namespaces: {from: All}}}, status: {addresses: [{value: 192.0.2.1}], listeners: [" + status + "]}}")
	w.apply("{kind: ListenerSet, metadata: {name: more, namespace: town}, spec: {parentRef: {name: front}, " + listeners + `}, status: {conditions: [{type: Accepted, status: "True"}], listeners: [` + status + "]}}")
	for _, parent := range []string{"{name: front}", "{kind: ListenerSet, name: more}"} {
		w.apply(routeText("a", "a.good.example.org, a.bad.example.org", parent))
		w.want("a.good.example.org.", "192.0.2.1", "a.bad.example.org.", "nothing")
	}
}

func TestAddressesOfAGateway(t *testing.T) {
	w := newWorld(t)
	w.apply(routeText("a", "shop.example.org", front))
	for _, tc := range []struct{ addresses, want string }{
		{`{value: 192.0.2.1}, {type: IPAddress, value: "2001:db8::1"}`, "192.0.2.1 2001:db8::1"},
		{`{type: Hostname, value: lb.example.com}`, "lb.example.com."},
		{`{type: Hostname, value: lb.example.com}, {value: 192.0.2.1}`, "192.0.2.1"},
		{`{type: Hostname, value: 192.0.2.1}`, "nothing"},
		{`{type: NamedAddress, value: 192.0.2.1}`, "nothing"},
		{``, "nothing"},
	} {
		w.apply("{kind: Gateway, metadata: {name: front, namespace: infra}, spec: {" + open + "}, status: {addresses: [" + tc.addresses + "]}}")
		w.want("shop.example.org.", tc.want)
	}
}

func TestClasses(t *testing.T) {
	w := newWorld(t)
	w.settings.GatewayClasses, w.settings.IngressClasses = "cloud,istio", "nginx"
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(strings.Replace(gatewayText("other", "192.0.2.2", open), "istio", "envoy", 1))
	w.apply(routeText("a", "a.example.org", front))
	w.apply(routeText("b", "b.example.org", "{name: other, namespace: infra}"))
	w.want("a.example.org.", "192.0.2.1", "b.example.org.", "nothing")

	const ingress = "{kind: Ingress, metadata: {name: a, namespace: town, annotations: {%s}}, spec: {%s rules: [{host: i.example.org}]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}}"
	for _, tc := range []struct{ annotation, class, want string }{
		{"", "ingressClassName: nginx,", "192.0.2.9"},
		{"", "ingressClassName: traefik,", "nothing"},
		{"", "", "nothing"}, // without a class: nothing to dereference
		{"kubernetes.io/ingress.class: nginx", "", "192.0.2.9"},
	} {
		w.apply(fmt.Sprintf(ingress, tc.annotation, tc.class))
		w.want("i.example.org.", tc.want)
	}
}

func TestServices(t *testing.T) {
	for _, tc := range []struct{ about, spec, status, name, want string }{
		{"", "type: LoadBalancer", "{ip: 192.0.2.1}, {hostname: lb.example.com}", "web.town.example.org.", "192.0.2.1"},
		{"", "type: LoadBalancer", "{hostname: lb.example.com}", "web.town.example.org.", "lb.example.com."},
		{"", "type: LoadBalancer, externalIPs: [192.0.2.2]", "{ip: 192.0.2.1}", "web.town.example.org.", "192.0.2.2"},
		{"", "type: LoadBalancer", "", "web.town.example.org.", "nothing"},
		{"", "type: ClusterIP, externalIPs: [192.0.2.2]", "", "web.town.example.org.", "nothing"},
		{"labels: {k8s-gateway.dns/ignore: 'true'}", "type: LoadBalancer", "{ip: 192.0.2.1}", "web.town.example.org.", "nothing"},
		{"labels: {k8s-gateway.dns/ignore: 'false'}", "type: LoadBalancer", "{ip: 192.0.2.1}", "web.town.example.org.", "192.0.2.1"},
		{"annotations: {coredns.io/hostname: A.example.org}", "type: LoadBalancer", "{ip: 192.0.2.1}", "a.example.org.", "192.0.2.1"},
		{"annotations: {coredns.io/hostname: a.example.org}", "type: LoadBalancer", "{ip: 192.0.2.1}", "web.town.example.org.", "nothing"},
		{"annotations: {external-dns.alpha.kubernetes.io/hostname: 'a.example.org., *.b.example.org'}", "type: LoadBalancer", "{ip: 192.0.2.1}", "*.b.example.org.", "192.0.2.1"},
		{"annotations: {coredns.io/hostname: good.ok}", "type: LoadBalancer", "{ip: 192.0.2.1}", "good.ok.example.net.", "192.0.2.1"},
		{"annotations: {coredns.io/hostname: foo_bar}", "type: LoadBalancer", "{ip: 192.0.2.1}", "foo_bar.example.org.", "nothing"},
	} {
		w := newWorld(t)
		w.apply(fmt.Sprintf("{kind: Service, metadata: {name: web, namespace: town, %s}, spec: {%s}, status: {loadBalancer: {ingress: [%s]}}}", tc.about, tc.spec, tc.status))
		w.want(tc.name, tc.want)
	}
}

func TestServiceLabels(t *testing.T) {
	for _, tc := range []struct{ selectors, labels, want string }{
		{"", "", "192.0.2.1"},
		{"app=web", "app: web", "192.0.2.1"},
		{"app=web", "app: mail", "nothing"},
		{"app=web", "", "nothing"},
		{"app=web,tier!=test", "app: web, tier: test", "nothing"},
		{"app=mail\napp in (web, shop)", "app: web", "192.0.2.1"},
		{"!internal", "internal: 'yes'", "nothing"},
	} {
		w := newWorld(t)
		w.settings.ServiceLabels = tc.selectors
		w.apply("{kind: Service, metadata: {name: web, namespace: town, labels: {" + tc.labels + "}}, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}")
		if got := w.published("web.town.example.org."); got != tc.want {
			t.Errorf("%q and {%s}: %s, want %s", tc.selectors, tc.labels, got, tc.want)
		}
	}
}

func TestNodes(t *testing.T) {
	const node = `{kind: Node, metadata: {name: a, labels: {%s}}, status: {addresses: [{type: Hostname, address: node-1}, {type: Hostname, address: node-1.example.org},
  {type: InternalIP, address: 10.0.0.1}, {type: InternalIP, address: "2001:db8::1"}, {type: ExternalIP, address: 192.0.2.1}]}}`
	for address, want := range map[string]string{"InternalIP": "10.0.0.1 2001:db8::1", "ExternalIP": "192.0.2.1"} {
		w := newWorld(t)
		w.settings.NodeAddress = address
		w.apply(fmt.Sprintf(node, ""))
		w.want("node-1.low.example.org.", want, "node-1.example.org.", want, "node-1.example.org.example.net.", want, "node-1.example.org.example.org.", "nothing", "a.example.org.", "nothing")
		w.apply(fmt.Sprintf(node, "k8s-gateway.dns/ignore: 'true'"))
		w.want("node-1.low.example.org.", "nothing")
	}
}

// Of several objects with one name, each type of records comes from the oldest that has any.
func TestTypesAreDecidedApart(t *testing.T) {
	object := func(name, year, endpoints string) string {
		return fmt.Sprintf("{kind: DNSEndpoint, metadata: {name: %s, namespace: town, creationTimestamp: \"%s-01-01T00:00:00Z\"}, spec: {endpoints: [%s]}}", name, year, endpoints)
	}
	const record = "{dnsName: a.example.org, recordType: %s, targets: [%q]}, "
	mx := fmt.Sprintf(record, "MX", "10 old.example.org") + fmt.Sprintf(record, "TXT", "old")
	all := fmt.Sprintf(record, "SRV", "0 0 1 new.example.org") + fmt.Sprintf(record, "TXT", "new") + fmt.Sprintf(record, "MX", "10 new.example.org") + fmt.Sprintf(record, "A", "192.0.2.1")
	w := newWorld(t)
	w.apply(object("new", "2026", all))
	w.apply(object("old", "2025", mx))
	w.want("a.example.org.", `192.0.2.1 MX 10 old.example.org. "old" SRV 0 0 1 new.example.org.`)
	if len(w.warnings) != 1 || w.set.Contested() != 1 {
		t.Errorf("%d contested, warnings %q", w.set.Contested(), w.warnings)
	}
	w.remove(object("old", "2025", mx))
	w.want("a.example.org.", `192.0.2.1 MX 10 new.example.org. "new" SRV 0 0 1 new.example.org.`)
	w.apply(object("old", "2025", fmt.Sprintf(record, "CNAME", "b.example.org")))
	w.want("a.example.org.", "b.example.org.")
}

func ingressAt(namespace, created, ip string) string {
	return fmt.Sprintf("{kind: Ingress, metadata: {name: a, namespace: %s, creationTimestamp: %q}, spec: {rules: [{host: shop.example.org}]}, status: {loadBalancer: {ingress: [{ip: %s}]}}}",
		namespace, created, ip)
}

// Whatever comes first, the older object has the name, and the log tells once.
func TestOlderWins(t *testing.T) {
	older, younger := ingressAt("town", "2026-01-01T00:00:00Z", "192.0.2.1"), ingressAt("city", "2026-01-02T00:00:00Z", "192.0.2.2")
	for _, order := range [][2]string{{older, younger}, {younger, older}} {
		w := newWorld(t)
		w.apply(order[0])
		w.apply(order[1])
		w.want("shop.example.org.", "192.0.2.1")
		w.apply(younger)
		if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "Ingress city/a has the name shop.example.org., as the older Ingress town/a") {
			t.Errorf("warnings: %q", w.warnings)
		}
		w.remove(older)
		w.want("shop.example.org.", "192.0.2.2")
		w.remove(younger)
		w.want("shop.example.org.", "nothing", "org.", "nothing")
	}
}

// Of the same age, as after one kubectl apply, the first by Namespace and name. The log does not call it older.
func TestSameAge(t *testing.T) {
	w := newWorld(t)
	w.apply(ingressAt("town", "2026-01-01T00:00:00Z", "192.0.2.1"))
	w.apply(ingressAt("city", "2026-01-01T00:00:00Z", "192.0.2.2"))
	w.want("shop.example.org.", "192.0.2.2")
	const why = "Ingress town/a has the name shop.example.org., as Ingress city/a of the same age, with other records: the name has those of the one whose Namespace, name and kind come first"
	if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], why) {
		t.Errorf("warnings: %q", w.warnings)
	}
}

// Texts do not take an address away, nor the other way round.
func TestTextsBesideAddresses(t *testing.T) {
	w := newWorld(t)
	w.apply(textAt("2025"))
	w.apply(ingressAt("town", "2026-01-01T00:00:00Z", "192.0.2.1"))
	w.want("shop.example.org.", `192.0.2.1 "one"`)
	w.apply(ingressAt("town", "2024-01-01T00:00:00Z", "192.0.2.1"))
	w.want("shop.example.org.", `192.0.2.1 "one"`)
	if len(w.warnings) > 0 {
		t.Errorf("warnings: %q", w.warnings)
	}
}

// textAt returns a DNSEndpoint of a year with a text at shop.example.org.
func textAt(year string) string {
	return fmt.Sprintf("{kind: DNSEndpoint, metadata: {name: t, namespace: town, creationTimestamp: \"%s-01-01T00:00:00Z\"}, spec: {endpoints: [{dnsName: shop.example.org, recordType: TXT, targets: [one]}]}}", year)
}

// aliasAt returns an Ingress of a year that makes shop.example.org an alias.
func aliasAt(namespace, year string) string {
	return strings.Replace(ingressAt(namespace, year+"-01-01T00:00:00Z", "lb.example.com"), "ip:", "hostname:", 1)
}

func TestManyHostnames(t *testing.T) {
	w := newWorld(t)
	var hosts []string
	for i := range 300 {
		hosts = append(hosts, fmt.Sprintf("h%d.example.org", i))
	}
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(routeText("a", strings.Join(hosts, ", "), front))
	for _, host := range hosts {
		w.want(host+".", "192.0.2.1")
	}
}

// A change of an object makes no change of names that stay as they are.
func TestNoChange(t *testing.T) {
	w := newWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	w.apply(routeText("a", "shop.example.org", front))
	before := w.store.Load()
	w.apply(routeText("a", "shop.example.org", front))
	w.apply(gatewayText("front", "192.0.2.1", open))
	if w.store.Load() != before {
		t.Error("the same objects made another snapshot")
	}
	a, b := w.parse("Gateway", gatewayText("front", "192.0.2.1", open)), w.parse("Gateway", gatewayText("front", "192.0.2.1", open))
	if !Same(a, b) || Same(a, w.parse("Gateway", gatewayText("front", "192.0.2.2", open))) {
		t.Error("Same does not tell two Gateways apart")
	}
}
