package publish

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// inside decides what names lead to for the Pods of the cluster: to the Service behind an Ingress
// or a Gateway, so that nothing leaves the cluster. A name without such a Service leads where it
// leads outside.
type inside struct {
	zones    []dnsname.Origin
	label    string            // prefix of the label that lets a Namespace have names in a zone; empty for no such rule
	services map[string]string // the Services of Ingress classes

	owners  map[string]objects // the Services that have each mark
	seekers map[string]objects // the Ingresses and Gateways that look for each mark
	members map[string]objects // the objects of each Namespace, if its labels matter
	leads   map[*Object]*cluster.Published
}

// service is what matters of a Service inside.
type service struct {
	addrs []netip.Addr // ClusterIPs
	ports []int32
	marks []string
	// proxied says that the load balancer must be passed: it does more than to deliver packets (ipMode
	// Proxy).
	proxied bool
}

func (s *service) equal(other *service) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.proxied == other.proxied && slices.Equal(s.addrs, other.addrs) && slices.Equal(s.ports, other.ports) && slices.Equal(s.marks, other.marks)
}

// Marks are what a Service is found by.
func addressMark(a netip.Addr) string      { return "address " + a.String() }
func hostMark(host string) string          { return "host " + strings.ToLower(host) }
func gatewayMark(k cluster.Key) string     { return "gateway " + k.Namespace + "/" + k.Name }
func serviceMark(namespaced string) string { return "service " + namespaced }
func marksOf(p *cluster.Published) []string {
	if p == nil {
		return nil
	}
	var marks []string
	for _, a := range p.Addrs {
		marks = append(marks, addressMark(a))
	}
	if p.Alias != "" {
		marks = append(marks, hostMark(p.Alias))
	}
	return marks
}

func newInside(s Settings) *inside {
	in := &inside{
		label: s.InsideLabel, services: s.classes(),
		owners: map[string]objects{}, seekers: map[string]objects{}, members: map[string]objects{},
		leads: map[*Object]*cluster.Published{},
	}
	for zone := range strings.SplitSeq(s.Inside, ",") {
		if o, err := dnsname.ParseOrigin(zone); err == nil {
			in.zones = append(in.zones, o)
		}
	}
	return in
}

// classes returns the Services of Ingress classes, each as namespace and name with a slash between.
func (s Settings) classes() map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(s.InsideServices, ",") {
		if class, name, ok := strings.Cut(pair, "="); ok {
			all[class] = name
		}
	}
	return all
}

// insideOf returns what matters of a Service inside, or nil if it has no ClusterIP, or if no name can
// lead to it.
func (s Settings) insideOf(svc *corev1.Service) *service {
	if s.Inside == "" {
		return nil
	}
	out := new(service)
	for _, ip := range append(slices.Clone(svc.Spec.ClusterIPs), svc.Spec.ClusterIP) {
		if a := convert.ParseAddr(ip); a.IsValid() && !slices.Contains(out.addrs, a) {
			out.addrs = append(out.addrs, a)
		}
	}
	for i := range svc.Spec.Ports {
		out.ports = append(out.ports, svc.Spec.Ports[i].Port)
	}
	if gateway := svc.Labels[slimpb.LabelGateway]; gateway != "" {
		out.marks = append(out.marks, gatewayMark(cluster.Key{Namespace: svc.Namespace, Name: gateway}))
	}
	name := svc.Namespace + "/" + svc.Name
	for _, named := range s.classes() {
		if named == name && !slices.Contains(out.marks, serviceMark(name)) {
			out.marks = append(out.marks, serviceMark(name))
		}
	}
	out.markOutside(svc)
	if len(out.addrs) == 0 || len(out.marks) == 0 && svc.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return nil
	}
	return out
}

// markOutside adds the marks of the addresses outside that kube-proxy takes for the Service itself.
func (s *service) markOutside(svc *corev1.Service) {
	var to targets
	for _, ip := range svc.Spec.ExternalIPs {
		to.add(ip, "")
	}
	if svc.Spec.Type == corev1.ServiceTypeLoadBalancer {
		direct := 0
		for _, lb := range svc.Status.LoadBalancer.Ingress {
			if ptr.Deref(lb.IPMode, corev1.LoadBalancerIPModeVIP) == corev1.LoadBalancerIPModeProxy {
				continue
			}
			direct++
			to.add(lb.IP, lb.Hostname)
			if host := convert.Hostname(lb.Hostname); host != "" {
				s.marks = append(s.marks, hostMark(host))
			}
		}
		s.proxied = direct == 0 && len(svc.Status.LoadBalancer.Ingress) > 0
	}
	for _, a := range to.records.Addrs {
		s.marks = append(s.marks, addressMark(a))
	}
}

// marked returns the marks of a Service that an object is.
func (o *Object) marked() []string {
	if o == nil || o.service == nil {
		return nil
	}
	return o.service.marks
}

// sought returns the marks of the Services that an object looks for.
func (in *inside) sought(o *Object) []string {
	switch {
	case o.gateway != nil:
		return append(marksOf(o.gateway.records), gatewayMark(o.Key))
	case o.Kind != ingressKind:
		return nil
	}
	var marks []string
	if named := in.services[o.class]; named != "" {
		marks = append(marks, serviceMark(named))
	}
	if len(o.names) > 0 {
		marks = append(marks, marksOf(o.names[0].records)...)
	}
	return marks
}

func (in *inside) link(o *Object) {
	for _, mark := range o.marked() {
		put(in.owners, mark, o)
	}
	for _, mark := range in.sought(o) {
		put(in.seekers, mark, o)
	}
	if in.label != "" {
		put(in.members, o.Namespace, o)
	}
}

func (in *inside) unlink(o *Object) {
	for _, mark := range o.marked() {
		remove(in.owners, mark, o)
	}
	for _, mark := range in.sought(o) {
		remove(in.seekers, mark, o)
	}
	remove(in.members, o.Namespace, o)
	delete(in.leads, o)
}

func put(in map[string]objects, key string, o *Object) {
	if in[key] == nil {
		in[key] = objects{}
	}
	in[key][o] = struct{}{}
}

func remove(in map[string]objects, key string, o *Object) {
	if delete(in[key], o); len(in[key]) == 0 {
		delete(in, key)
	}
}

// publishSeekers publishes again what looks for a Service that was another one before.
func (s *Set) publishSeekers(txn *cluster.Txn, old, now *Object) {
	again := map[*Object]bool{}
	for _, mark := range slices.Concat(old.marked(), now.marked()) {
		for o := range s.inside.seekers[mark] {
			again[o] = true
		}
	}
	for o := range again {
		delete(s.inside.leads, o)
		if o.gateway != nil {
			s.publishFollowers(txn, o.ID)
		} else {
			s.publishAgain(txn, o)
		}
	}
}

// records returns what names at a Gateway have.
func (s *Set) records(gateway *Object) *cluster.Published {
	if s.inside == nil {
		return gateway.gateway.records
	}
	return s.inside.ofGateway(gateway)
}

// ofGateway returns what names at a Gateway have inside: its addresses that only the cluster can
// reach, else the Service that is labelled as the Gateway's, else the one with its address.
func (in *inside) ofGateway(o *Object) *cluster.Published {
	if p, known := in.leads[o]; known {
		return p
	}
	serves := func(s *service) bool {
		return !slices.ContainsFunc(o.gateway.listeners, func(l listener) bool { return !slices.Contains(s.ports, l.port) })
	}
	p := o.gateway.records
	if len(o.gateway.within) > 0 {
		p = &cluster.Published{Addrs: o.gateway.within}
	} else if addrs := in.behind([]string{gatewayMark(o.Key)}, serves); addrs != nil {
		p = &cluster.Published{Addrs: addrs}
	} else if addrs := in.behind(marksOf(p), serves); addrs != nil {
		p = &cluster.Published{Addrs: addrs}
	}
	in.leads[o] = p
	return p
}

// of returns what the names of an object have inside that leads somewhere by itself.
func (in *inside) of(o *Object, outside *cluster.Published) *cluster.Published {
	var addrs []netip.Addr
	switch {
	case o.service != nil && !o.service.proxied:
		addrs = o.service.addrs
	case o.Kind == ingressKind:
		addrs = in.behindIngress(o, outside)
	}
	if addrs == nil {
		return outside
	}
	if p := in.leads[o]; p != nil && slices.Equal(p.Addrs, addrs) {
		return p // shared by all names of the object
	}
	in.leads[o] = &cluster.Published{Addrs: addrs}
	return in.leads[o]
}

// behindIngress returns the ClusterIPs of the Service that is named for the class of an Ingress or,
// without one, of the Service with its address. That Service must have a port for HTTP.
func (in *inside) behindIngress(o *Object, outside *cluster.Published) []netip.Addr {
	if named := in.services[o.class]; named != "" {
		for svc := range in.owners[serviceMark(named)] {
			return svc.service.addrs
		}
	}
	return in.behind(marksOf(outside), func(s *service) bool { return slices.Contains(s.ports, 80) || slices.Contains(s.ports, 443) })
}

// behind returns the ClusterIPs of the Services with these marks, or nil. A Service whose load
// balancer must be passed is left out, and so is a mark that several Services have.
func (in *inside) behind(marks []string, serves func(*service) bool) (addrs []netip.Addr) {
	for _, mark := range marks {
		var found *service
		count := 0
		for o := range in.owners[mark] {
			if !o.service.proxied && serves(o.service) {
				found = o.service
				count++
			}
		}
		if count != 1 {
			continue
		}
		for _, a := range found.addrs {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// names turns the names that an object has outside into those that it has inside. They are fully
// qualified, in the zones that its Namespace may name, and have addresses or an alias alone.
func (in *inside) names(o *Object, outside []named, namespaces map[string]labels.Set) []named {
	list := make([]named, 0, len(outside))
	for _, n := range outside {
		p := n.records
		if o.route == nil {
			p = in.of(o, p)
		}
		if p == nil || !leads(p) {
			continue
		}
		if len(p.Records) > 0 {
			p = &cluster.Published{Addrs: p.Addrs, Alias: p.Alias}
		}
		for _, key := range in.keys(n.name, o.Namespace, namespaces) {
			if !slices.ContainsFunc(list, func(other named) bool { return other.name == key }) {
				list = append(list, named{key, p})
			}
		}
	}
	return list
}

// keys returns the names inside for one that may be below any zone.
func (in *inside) keys(name, namespace string, namespaces map[string]labels.Set) (keys []string) {
	for i := range in.zones {
		zone, key := &in.zones[i], name
		if !strings.HasSuffix(name, "\x00") {
			key += zone.Wire()
		}
		if n, err := dnsname.ParseWire([]byte(key)); err == nil && in.zoneOf(&n) == zone && in.mayName(zone, namespace, namespaces) {
			keys = append(keys, key)
		}
	}
	return keys
}

// zoneOf returns the longest zone that encloses a name, or nil.
func (in *inside) zoneOf(n *dnsname.Name) (longest *dnsname.Origin) {
	for i := range in.zones {
		if o := &in.zones[i]; o.Encloses(n) && (longest == nil || o.Labels() > longest.Labels()) {
			longest = o
		}
	}
	return longest
}

// mayName reports whether the objects of a Namespace may have names in a zone.
func (in *inside) mayName(zone *dnsname.Origin, namespace string, namespaces map[string]labels.Set) bool {
	if in.label == "" {
		return true
	}
	return namespaces[namespace][in.label+"/"+strings.TrimSuffix(zone.String(), ".")] == "true"
}

// publishMembers publishes the objects of a Namespace again.
func (s *Set) publishMembers(txn *cluster.Txn, namespace string) {
	for o := range s.inside.members[namespace] {
		s.publishAgain(txn, o)
	}
}
