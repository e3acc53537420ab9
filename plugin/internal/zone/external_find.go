package zone

import (
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
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
func (v *ExternalView) find(s *cluster.Snapshot, n *dnsname.Name, o Origin) node {
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
	case n.Wire() == dnsname.Arpa && s.ExternalAddrs().Len() > 0:
		return bare{}
	}
	return v.findService(s, n, rest)
}

func (v *ExternalView) findApex(s *cluster.Snapshot, n *dnsname.Name, o Origin) node {
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
func (v *ExternalView) findService(s *cluster.Snapshot, n *dnsname.Name, rest int) node {
	namespace := n.Label(rest - 1)
	if !v.Cluster.exposes(s, namespace) {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	svc := s.Service(cluster.Key{Namespace: namespace, Name: n.Label(rest - 2)})
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

// serviceNode is the node of a Service. One with a ClusterIP alone has none but
// for the names of its endpoints below it.
func (v *ExternalView) serviceNode(svc *cluster.ServiceNode) node {
	switch {
	case svc.Service.HasExternal():
		return v.outer(svc, hostsAt(svc.Service.ExternalIPs, svc.Service.Ports), svc.Service.Ports)
	case !v.Headless:
		return nil
	case svc.Service.Kind == cluster.Headless:
		return v.group(svc, subset{})
	case svc.HasReadyEndpoints():
		return bare{}
	}
	return nil
}

// endpointNode is the node of a name one label below a Service: an endpoint, or
// the empty non-terminal above the Service's ports. The endpoints of a Service
// with an external address are nobody's business outside.
func (v *ExternalView) endpointNode(svc *cluster.ServiceNode, label string) node {
	protocol := undecorated(label)
	like := func(p cluster.Port) bool { return p.Name != "" && p.Protocol == protocol }
	switch {
	case svc.Service.HasExternal():
		if slices.ContainsFunc(svc.Service.Ports, like) {
			return bare{}
		}
		return nil
	case !v.Headless:
		return nil
	}
	if found := v.group(svc, subset{kind: byLabel, name: label}); found != nil {
		return found
	}
	if svc.Service.Kind == cluster.Headless && svc.HasPort(like) {
		return bare{}
	}
	return nil
}

// portNode is the node of a port: what the Service has, but with that port only.
func (v *ExternalView) portNode(svc *cluster.ServiceNode, f portFilter) node {
	switch {
	case svc.Service.HasExternal():
		ports := f.choose(svc.Service.Ports)
		if len(ports) == 0 {
			return nil
		}
		return v.outer(svc, hostsAt(svc.Service.ExternalIPs, ports), ports)
	case v.Headless && svc.Service.Kind == cluster.Headless:
		return v.group(svc, subset{kind: byPort, ports: f})
	}
	return nil
}

// group is the node of endpoints, or nil if there are none.
func (v *ExternalView) group(svc *cluster.ServiceNode, sub subset) node {
	sub.podNames = v.Cluster.PodNames
	c := group{service: svc, subset: sub, outside: true}
	if !c.exists() {
		return nil
	}
	return c
}

// findReverse finds a reverse name: that of an external address, or an empty
// non-terminal above such.
func (v *ExternalView) findReverse(s *cluster.Snapshot, n *dnsname.Name) node {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return nil
	case prefix.IsSingleIP():
		return v.findPointer(s, prefix.Addr())
	case s.ExternalAddrs().Covers(prefix):
		return bare{}
	}
	return nil
}

// findPointer finds the names of the Services that have the address.
func (v *ExternalView) findPointer(s *cluster.Snapshot, a netip.Addr) node {
	origin := v.primary()
	shown := func(n *cluster.ServiceNode) bool { return v.Cluster.exposes(s, n.Key.Namespace) }
	if some, _ := s.ServicesAt(s.ExternalAddrs(), a, 1, shown); len(some) == 0 {
		return nil
	}
	return pointers(func(limit int) ([]string, bool) {
		owners, whole := s.ServicesAt(s.ExternalAddrs(), a, limit, shown)
		targets := make([]string, len(owners))
		for i, svc := range owners {
			targets[i] = outerName(svc, origin)
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
