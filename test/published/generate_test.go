package published

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// generator makes a world. In the second round a part of it has other hosts and addresses, is gone,
// or is new.
type generator struct {
	*rand.Rand
	world
	round int
	n     int
}

func generate(seed uint64, round int) *world {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 15)), round: round}
	for i := range 64 {
		g.ingress(i)
	}
	for i := range 48 {
		g.service(i)
	}
	for i := range 72 {
		g.route([]string{"HTTPRoute", "GRPCRoute", "TLSRoute"}[i%3], i/3)
	}
	for i := range 32 {
		g.endpoint(i)
	}
	g.oddities()
	return &g.world
}

// next returns what a thing of this number has: a label of its own, and addresses.
func (g *generator) next(kind string) (label string, four, six netip.Addr) {
	g.n++
	version := 0
	if g.round > 0 && g.n%3 == 0 {
		version = 1
	}
	label = fmt.Sprintf("%s-%d", strings.ToLower(kind), g.n)
	if version > 0 && g.n%2 == 0 {
		label += "-moved"
	}
	return label, netip.AddrFrom4([4]byte{192, 0, byte(2 + version), byte(g.n%250 + 1)}),
		netip.MustParseAddr(fmt.Sprintf("2001:db8:%d::%x", version, g.n))
}

// gone reports whether the thing made last is missing in this round.
func (g *generator) gone() bool { return g.n%7 == 0 && g.round == 1-g.n%2 }

func (g *generator) add(t *thing) {
	if !g.gone() {
		g.things = append(g.things, t)
	}
}

// host returns a name in a zone, with up to two labels between.
func (g *generator) host(label string) string {
	zone := strings.TrimSuffix(zones[g.n%2], ".")
	for i := range g.n % 3 {
		zone = fmt.Sprintf("d%d.%s", (g.n+i)%5, zone)
	}
	return label + "." + zone
}

// shown returns hosts as ours shows them.
func shown(hosts ...string) (names []string) {
	for _, host := range hosts {
		names = append(names, host+".")
	}
	return names
}

func (g *generator) ingress(i int) {
	label, four, six := g.next("Ingress")
	t := &thing{kind: "Ingress", class: []string{"nginx", "other"}[i%4/3]}
	t.hosts = []string{g.host(label)}
	t.has.addrs = []netip.Addr{four}
	labels := ""
	switch i % 8 {
	case 1:
		t.has.addrs = append(t.has.addrs, six)
	case 2:
		t.has.addrs = []netip.Addr{six}
	case 3:
		t.hosts = append(t.hosts, g.host("also-"+label))
	case 4:
		t.hosts = []string{"*." + g.host(label)}
	case 5:
		t.has.addrs = nil
	case 6:
		labels = `k8s-gateway.dns/ignore: "true"`
	}
	if t.names = shown(t.hosts...); labels != "" || len(t.has.addrs) == 0 {
		t.names = nil
	}
	if labels != "" {
		t.hosts = nil
		g.addIngress(t, label, labels, []string{g.host(label)}, balancer(t.has.addrs))
		return
	}
	g.addIngress(t, label, labels, t.hosts, balancer(t.has.addrs))
}

func (g *generator) addIngress(t *thing, name, labels string, hosts []string, balancer string) {
	t.id = "Ingress town/" + name
	t.yaml = ingress(name, t.class, labels, hosts, balancer)
	g.add(t)
}

func ingress(name, class, labels string, hosts []string, balancer string) string {
	var rules []string
	for _, host := range hosts {
		if rules = append(rules, fmt.Sprintf("{host: %q}", host)); host == "" {
			rules = []string{"{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}"}
		}
	}
	if class != "" {
		class = "ingressClassName: " + class + ", "
	}
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: town, labels: {%s}}
spec: {%srules: [%s]}
status: {loadBalancer: {ingress: [%s]}}
`, name, labels, class, strings.Join(rules, ", "), balancer)
}

// balancer returns the addresses of a load balancer.
func balancer(addrs []netip.Addr) string {
	var all []string
	for _, a := range addrs {
		all = append(all, fmt.Sprintf("{ip: %q}", a))
	}
	return strings.Join(all, ", ")
}

func (g *generator) service(i int) {
	label, four, six := g.next("Service")
	t := &thing{kind: "Service", hosts: []string{label + ".town"}}
	t.has.addrs = []netip.Addr{four}
	annotation, spec := "", ""
	switch i % 8 {
	case 1:
		t.hosts, annotation = []string{g.host(label)}, "coredns.io/hostname"
		t.names = shown(t.hosts...)
	case 2:
		t.hosts, annotation = []string{label, "deep." + label}, "external-dns.alpha.kubernetes.io/hostname"
	case 3:
		spec = fmt.Sprintf("externalIPs: [%q], ", four)
	case 4:
		t.has.addrs = append(t.has.addrs, six)
	case 5:
		t.hosts, annotation = []string{"*." + label}, "coredns.io/hostname"
	case 6:
		t.has.addrs = nil
	}
	if t.names = append(t.names, t.hosts...); len(t.has.addrs) == 0 {
		t.names = nil
	}
	g.addService(t, label, annotation, spec, balancer(t.has.addrs))
}

func (g *generator) addService(t *thing, name, annotation, spec, balancer string) {
	g.addServiceIn(t, "town", name, annotation, spec, balancer)
}

func (g *generator) addServiceIn(t *thing, namespace, name, annotation, spec, balancer string) {
	t.id = "Service " + namespace + "/" + name
	if annotation != "" {
		annotation = fmt.Sprintf("%s: %q", annotation, strings.Join(t.hosts, ", "))
	}
	t.yaml = fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s, annotations: {%s}}
spec: {type: LoadBalancer, %sports: [{port: 53}]}
status: {loadBalancer: {ingress: [%s]}}
`, name, namespace, annotation, spec, balancer)
	g.add(t)
}

func (g *generator) endpoint(i int) {
	label, four, six := g.next("DNSEndpoint")
	t := &thing{kind: "DNSEndpoint", hosts: []string{g.host(label)}}
	list := endpoint(t.hosts[0], "A", four.String())
	switch i % 5 {
	case 0:
		t.has.addrs = []netip.Addr{four}
	case 1:
		t.has.addrs = []netip.Addr{six}
		list = endpoint(t.hosts[0], "AAAA", six.String())
	case 2:
		t.has.texts = []string{"v=spf1 -all", strings.Repeat("long ", 60+i)}
		list = endpoint(t.hosts[0], "TXT", t.has.texts...)
	case 3:
		t.has.addrs = []netip.Addr{four, six}
		list += ", " + endpoint(t.hosts[0], "AAAA", six.String())
	case 4:
		t.has.addrs, t.has.texts = []netip.Addr{four}, []string{"a text"}
		list += ", " + endpoint(t.hosts[0], "TXT", t.has.texts...)
	}
	t.names = shown(t.hosts...)
	g.addEndpoint(t, label, list)
}

func (g *generator) addEndpoint(t *thing, name, list string) {
	t.id = "DNSEndpoint town/" + name
	t.yaml = endpoints(name, list)
	g.add(t)
}

func endpoint(name, rrtype string, targets ...string) string {
	return fmt.Sprintf("{dnsName: %q, recordType: %s, targets: [%q]}", name, rrtype, strings.Join(targets, `", "`))
}

func endpoints(name, list string) string {
	list = strings.ReplaceAll(list, `\"`, `"`)
	return fmt.Sprintf(`
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: %s, namespace: town}
spec: {endpoints: [%s]}
`, name, list)
}
