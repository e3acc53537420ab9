package differential

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

// crowded is how many endpoints of a slice are asked for by name.
const crowded = 6

// nameSet is a set of names without their final dot.
type nameSet map[string]bool

func (s nameSet) add(format string, args ...any) { s[fmt.Sprintf(format, args...)+"."] = true }

func (s nameSet) sorted() []string {
	var names []string
	for name := range s {
		if _, ok := dns.IsDomainName(name); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// names returns all names of objects, whether or not they must exist: also those of
// endpoints that are not ready, of ended Pods and of hidden Namespaces.
func (c *corefile) names(w *world) []string {
	s := nameSet{}
	for _, origin := range c.origins {
		w.addForward(s, strings.TrimSuffix(origin, "."))
	}
	w.addReverse(s)
	for _, origin := range c.reverse[:min(2, len(c.reverse))] {
		for _, name := range []string{"svc", "pod", "dns", "ns.dns", "dns-version", "zoo.svc", "web.zoo.svc"} {
			s.add("%s.%s", name, strings.TrimSuffix(origin, "."))
		}
	}
	for _, name := range otherNames {
		s.add("%s", name)
	}
	beside := c.besideNames(w)
	if c.autopath {
		beside = append(beside, c.searchedNames(w)...)
	}
	if len(beside) > 0 {
		return append(beside, every(besidePart, s.sorted())...)
	}
	return append(s.sorted(), c.upperNames()...)
}

// besidePart says that one in so many of the cluster's own names is asked for if there are
// other zones: other Corefiles cover all.
const besidePart = 12

// every returns every n-th name of the list.
func every(n int, names []string) []string {
	var some []string
	for i := 0; i < len(names); i += n {
		some = append(some, names[i])
	}
	return some
}

// upperNames returns the names of the servers in upper case, unless a cache would answer
// with the reply to another client.
func (c *corefile) upperNames() []string {
	var names []string
	for _, origin := range c.origins {
		if !c.cached || !outsideOf(c.uncached, origin) {
			names = append(names, strings.ToUpper(origin), "ns.dns."+strings.ToUpper(origin))
		}
	}
	return names
}

// otherNames are outside our zones, or in zones of the other plugins and blocks.
var otherNames = []string{
	"www.example.org", "six.example.org", "chain.example.org", "big.example.org", "text.example.org", "dangling.example.org",
	"nowhere.example.org", "a.star.example.org", "www.refused.example", "www.servfail.example", "local", "arpa", "example.org",
	"_http._tcp.www.example.org", "www.example.org.zoo.svc.cluster.local",
	"www.file.cluster.local", "alias.file.cluster.local", "inside.file.cluster.local", "a.wild.file.cluster.local",
	"never.zoo.svc.cluster.local", "a.never.svc.cluster.local", "10-244-9-9.zoo.pod.cluster.local", "generated.cluster.local",
	"portal.example.org", "web.old.example", "db.old.example", "portal.shop.example", "a.apps.shop.example", "a.nodes.vcluster.example", "www.ads.example",
	"web.zoo.svc.cluster.local.zoo.svc.cluster.local", "no-name.zoo.svc.cluster.local",
	"second.example", "www.second.example", "in.second.example", "stub.svc.cluster.local", "web.stub.svc.cluster.local",
	"8.9.244.10.in-addr.arpa", "9.9.244.10.in-addr.arpa", "1.113.0.203.in-addr.arpa", "1.100.51.198.in-addr.arpa",
	"x.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa", // one label more than an address has
}

func (w *world) addForward(s nameSet, origin string) {
	for _, name := range []string{"", "svc.", "pod.", "dns.", "ns.dns.", "dns-version.", "apex.dns.", "never.svc.", "never.pod."} {
		s.add("%s%s", name, origin)
	}
	for namespace := range w.namespaces {
		s.add("%s.svc.%s", namespace, origin)
		s.add("%s.pod.%s", namespace, origin)
	}
	for _, service := range w.services {
		s.addService(service, origin)
	}
	for _, slice := range w.slices {
		s.addSlice(slice, origin)
	}
	for _, p := range w.pods {
		for _, ip := range p.Status.PodIPs {
			s.add("%s.%s.pod.%s", dashed(ip.IP), p.Namespace, origin)
		}
		s.add("%s.%s.pod.%s", p.Name, p.Namespace, origin)
	}
}

func (s nameSet) addService(service *corev1.Service, origin string) {
	name := fmt.Sprintf("%s.%s.svc.%s", service.Name, service.Namespace, origin)
	s.add("%s", name)
	for _, port := range service.Spec.Ports {
		s.addPort(port.Name, string(port.Protocol), name)
	}
}

func (s nameSet) addPort(port, protocol, name string) {
	s.add("_%s._%s.%s", port, strings.ToLower(protocol), name)
	s.add("_%s.%s", strings.ToLower(protocol), name)
}

func (s nameSet) addSlice(slice *discoveryv1.EndpointSlice, origin string) {
	name := fmt.Sprintf("%s.%s.svc.%s", serviceName(slice), slice.Namespace, origin)
	s.add("%s", name)
	s.addSliceBelow(slice, name)
}

// addSliceBelow adds the names of a slice's ports and endpoints.
func (s nameSet) addSliceBelow(slice *discoveryv1.EndpointSlice, name string) {
	if cluster := slice.Labels[clusterSetCluster]; cluster != "" && !strings.HasPrefix(name, cluster+".") {
		s.add("%s.%s", cluster, name)
		s.addSliceBelow(slice, cluster+"."+name)
	}
	for _, port := range slice.Ports {
		s.addPort(valueOf(port.Name), string(valueOf(port.Protocol)), name)
	}
	for _, e := range slice.Endpoints[:min(len(slice.Endpoints), crowded)] {
		if e.Hostname != nil {
			s.add("%s.%s", *e.Hostname, name)
		}
		if e.TargetRef != nil {
			s.add("%s.%s", e.TargetRef.Name, name)
		}
		if e.Zone != nil {
			s.addZone(*e.Zone, name)
		}
		for _, address := range e.Addresses {
			s.add("%s.%s", dashed(address), name)
		}
	}
}

// addZone adds the names of the endpoints in a topology zone.
func (s nameSet) addZone(zone, name string) {
	s.add("_zone.%s", name)
	for _, directive := range []string{"pin", "prefer", "near"} {
		s.add("%s._zone.%s", directive, name)
		s.add("%s.%s._zone.%s", zone, directive, name)
		s.add("nowhere.%s._zone.%s", directive, name)
	}
}

// addReverse adds the names of all addresses and those above them.
func (w *world) addReverse(s nameSet) {
	for _, service := range w.services {
		s.addAddresses(service.Spec.ClusterIPs)
		s.addAddresses(service.Spec.ExternalIPs)
	}
	for _, slice := range w.slices {
		for _, e := range slice.Endpoints[:min(len(slice.Endpoints), crowded)] {
			s.addAddresses(e.Addresses)
		}
	}
	for _, p := range w.pods {
		for _, ip := range p.Status.PodIPs {
			s.addAddresses([]string{ip.IP})
		}
	}
}

func (s nameSet) addAddresses(addresses []string) {
	for _, address := range addresses {
		name, err := dns.ReverseAddr(address)
		for ; err == nil && !s[name] && name != "."; name = parent(name) {
			s[name] = true
		}
		for _, name := range reverse.Names(address) {
			s[name] = true
		}
	}
}

// parent returns the name without its first label.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	if rest == "" {
		return "."
	}
	return rest
}

func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
