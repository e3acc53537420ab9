package zone

import (
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// find is the node of a name below an origin, or nil if the name does not exist.
//
//	<origin>                                   outerApex
//	ns1.<apex>.<origin>                        outerServer
//	<service>.<namespace>.<origin>             outer
//	_<port>._<protocol>.<service>...           outer
//	<endpoint>.<service>.<namespace>.<origin>  outer, of a Service without an external address
//	<d>.<c>.<b>.<a>.in-addr.arpa               pointer
func (v *ExternalView) find(s *Snapshot, n *dnsname.Name, o Origin) node {
	rest := n.Labels() - o.Labels()
	if rest == 0 {
		return v.findApex(s, n, o)
	}
	if found, ok := v.findServer(n, rest); ok {
		return found
	}
	switch {
	case n.IsReverse():
		return v.findReverse(s, n)
	case n.Wire() == dnsname.Arpa && s.external.Len() > 0:
		return bare{}
	}
	return v.findService(s, n, rest)
}

func (v *ExternalView) findApex(s *Snapshot, n *dnsname.Name, o Origin) node {
	if o.Reverse() {
		return outerApex{v, v.findReverse(s, n)}
	}
	return outerApex{view: v}
}

// findServer finds the names at and below the apex label, of which only one has
// records. It fails for a name that is not there, which is left to the cluster.
func (v *ExternalView) findServer(n *dnsname.Name, rest int) (node, bool) {
	for i := v.Apex.Labels() - 1; i >= 0 && rest > 0; i-- {
		if n.Label(rest-1) != v.Apex.Label(i) {
			return nil, false
		}
		rest--
	}
	switch {
	case rest == 0:
		return bare{}, true
	case rest == 1 && n.Label(0) == "ns1":
		return outerServer{v}, true
	}
	return nil, true
}

// findService finds the names of Services; rest is the number of labels below
// the origin.
func (v *ExternalView) findService(s *Snapshot, n *dnsname.Name, rest int) node {
	namespace := n.Label(rest - 1)
	if !v.Cluster.exposes(s, namespace) {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	svc := s.service(Key{namespace, n.Label(rest - 2)})
	if svc == nil {
		return nil
	}
	switch rest {
	case 2:
		return v.serviceNode(svc)
	case 3:
		return v.endpointNode(svc, n.Label(0))
	case 4:
		return v.portNode(svc, portFilter{undecorated(n.Label(0)), undecorated(n.Label(1))})
	}
	return nil
}

// published says whether the Service has a place outside the cluster. What it
// says of itself comes before its endpoints.
func (s *Service) published() bool { return len(s.ExternalIPs)+len(s.ExternalHosts) > 0 }

// serviceNode is the node of a Service. One with a ClusterIP alone has none but
// for the names of its endpoints below it.
func (v *ExternalView) serviceNode(svc *serviceNode) node {
	switch {
	case svc.service.published():
		return v.outer(svc, hostsAt(svc.service.ExternalIPs, svc.service.Ports), svc.service.Ports)
	case !v.Headless:
		return nil
	case svc.service.Kind == Headless:
		return v.group(svc, subset{})
	case svc.serves():
		return bare{}
	}
	return nil
}

// endpointNode is the node of a name one label below a Service: an endpoint, or
// the empty non-terminal above the Service's ports. The endpoints of a Service
// with an external address are nobody's business outside.
func (v *ExternalView) endpointNode(svc *serviceNode, label string) node {
	protocol := undecorated(label)
	like := func(p Port) bool { return p.Name != "" && p.Protocol == protocol }
	switch {
	case svc.service.published():
		if slices.ContainsFunc(svc.service.Ports, like) {
			return bare{}
		}
		return nil
	case !v.Headless:
		return nil
	}
	if found := v.group(svc, subset{kind: byLabel, name: label}); found != nil {
		return found
	}
	if svc.service.Kind == Headless && svc.hasPort(like) {
		return bare{}
	}
	return nil
}

// portNode is the node of a port: what the Service has, but with that port only.
func (v *ExternalView) portNode(svc *serviceNode, f portFilter) node {
	switch {
	case svc.service.published():
		ports := f.choose(svc.service.Ports)
		if len(ports) == 0 {
			return nil
		}
		return v.outer(svc, hostsAt(svc.service.ExternalIPs, ports), ports)
	case v.Headless && svc.service.Kind == Headless:
		return v.group(svc, subset{kind: byPort, ports: f})
	}
	return nil
}

// group is the node of endpoints, or nil if there are none.
func (v *ExternalView) group(svc *serviceNode, sub subset) node {
	sub.podNames = v.Cluster.PodNames
	c := group{service: svc, subset: sub, outside: true}
	if !c.exists() {
		return nil
	}
	return c
}

// findReverse finds a reverse name: that of an external address, or an empty
// non-terminal above such.
func (v *ExternalView) findReverse(s *Snapshot, n *dnsname.Name) node {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return nil
	case prefix.IsSingleIP():
		return v.findPointer(s, prefix.Addr())
	case s.external.Covers(prefix):
		return bare{}
	}
	return nil
}

// findPointer finds the names of the Services that have the address.
func (v *ExternalView) findPointer(s *Snapshot, a netip.Addr) node {
	origin := v.primary()
	shown := func(n *serviceNode) bool { return v.Cluster.exposes(s, n.key.Namespace) }
	if some, _ := s.servicesAt(&s.external, a, 1, shown); len(some) == 0 {
		return nil
	}
	return pointers(func(limit int) ([]string, bool) {
		owners, whole := s.servicesAt(&s.external, a, limit, shown)
		targets := make([]string, len(owners))
		for i, svc := range owners {
			targets[i] = svc.outerName(origin)
		}
		return targets, whole
	})
}

// primary is the first origin that is not a reverse zone: reverse names point
// into it. Where there is none, they point to what no zone has, as from stock CoreDNS.
func (v *ExternalView) primary() string {
	for _, o := range v.Origins {
		if !o.Reverse() {
			return o.String()
		}
	}
	return v.Origins[0].String()
}
