package zone

import "strings"

// find is the node of a name below an origin, or nil if the name does not exist.
//
//	<origin>                                   apex
//	dns-version.<origin>                       text
//	ns.dns.<origin>                            nameserver
//	<service>.<namespace>.svc.<origin>         hosts or alias
//	<endpoint>.<service>.<namespace>.svc...    hosts
//	_<port>._<protocol>.<service>...           hosts
//	<a-b-c-d>.<namespace>.pod.<origin>         hosts
//	<d>.<c>.<b>.<a>.in-addr.arpa               pointer
func (v *View) find(s *Snapshot, n *Name, o Origin) node {
	rest := n.count - o.labels
	switch {
	case rest == 0 && o.reverse:
		return apex{v.findReverse(s, n)}
	case rest == 0:
		return apex{}
	case isReverse(n):
		return v.findReverse(s, n)
	case n.folded == arpa && s.Counts().Addresses > 0:
		return bare{}
	}
	switch n.label(rest - 1) {
	case "svc":
		return v.findService(s, n, rest-1)
	case "pod":
		return v.findPod(s, n, rest-1)
	case "dns":
		return findServer(n, rest-1)
	case "dns-version":
		if rest == 1 {
			return text{}
		}
	}
	return nil
}

// findServer finds ns.dns and the empty non-terminal above it.
func findServer(n *Name, rest int) node {
	switch {
	case rest == 0:
		return bare{}
	case rest == 1 && n.label(0) == "ns":
		return nameserver{}
	}
	return nil
}

// findService finds the names below svc; rest is the number of labels before it.
func (v *View) findService(s *Snapshot, n *Name, rest int) node {
	if rest == 0 {
		return bare{}
	}
	namespace := n.label(rest - 1)
	if !v.exposes(s, namespace) {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	svc := s.service(Key{namespace, n.label(rest - 2)})
	if svc == nil {
		return nil
	}
	switch rest {
	case 2:
		return v.serviceNode(svc)
	case 3:
		return v.endpointNode(svc, n.label(0))
	case 4:
		return v.portNode(svc, portFilter{undecorated(n.label(0)), undecorated(n.label(1))})
	}
	return nil
}

// serviceNode is the node of a Service. A headless Service without ready
// endpoints does not exist (Kubernetes DNS specification 2.4.1), nor does an
// ExternalName Service without a usable name.
func (v *View) serviceNode(svc *serviceNode) node {
	switch svc.service.Kind {
	case ExternalName:
		return aliasTo(svc.service.Target)
	case Headless:
		return v.hosts(svc, svc.endpointHosts(nil)).orNil()
	default:
		return v.hosts(svc, svc.clusterIPHosts(svc.service.Ports))
	}
}

// endpointNode is the node of a name one label below a Service: an endpoint, or
// the empty non-terminal above the Service's ports.
func (v *View) endpointNode(svc *serviceNode, label string) node {
	if svc.service.Kind == ExternalName {
		return nil
	}
	if found := v.hosts(svc, svc.labelled(label, v.PodNames)).orNil(); found != nil {
		return found
	}
	protocol := undecorated(label)
	if svc.hasPort(func(p Port) bool { return p.Name != "" && p.Protocol == protocol }) {
		return bare{}
	}
	return nil
}

// portNode is the node of a port: what the Service has, but with that port only.
func (v *View) portNode(svc *serviceNode, f portFilter) node {
	switch svc.service.Kind {
	case ExternalName:
		return nil
	case Headless:
		return v.hosts(svc, svc.endpointHosts(f.choose)).orNil()
	}
	ports := f.choose(svc.service.Ports)
	if len(ports) == 0 {
		return nil
	}
	return v.hosts(svc, svc.clusterIPHosts(ports))
}

// findPod finds the names below pod; rest is the number of labels before it.
func (v *View) findPod(s *Snapshot, n *Name, rest int) node {
	if rest == 0 {
		return bare{}
	}
	namespace := n.label(rest - 1)
	if v.Pods == PodsDisabled || !v.exposes(s, namespace) {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	addr, ok := parseDashed(n.label(0))
	if rest > 2 || !ok {
		return nil
	}
	if v.Pods == PodsVerified && !s.hasPod(located[string]{addr, namespace}) {
		return nil
	}
	return hosts{list: []host{{addr: addr}}}
}

// hasPod says whether a Pod of the Namespace has the address.
func (s *Snapshot) hasPod(want located[string]) bool {
	for p := range s.pods.at(want.addr) {
		if p.Namespace == want.ref {
			return true
		}
	}
	return false
}

// undecorated is a port's or protocol's name without the underscore of RFC 2782,
// which stock CoreDNS does not insist on either.
func undecorated(label string) string { return strings.TrimPrefix(label, "_") }

// portFilter chooses ports by name and protocol.
type portFilter struct{ name, protocol string }

// choose returns the ports that match. Without a name there is no SRV record
// (Kubernetes DNS specification 2.3.2), so an empty name matches none.
func (f portFilter) choose(ports []Port) []Port {
	var chosen []Port
	for _, p := range ports {
		if p.Name != "" && p.Name == f.name && p.Protocol == f.protocol {
			chosen = append(chosen, p)
		}
	}
	return chosen
}
