package external

import (
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// locate finds what a name below an origin stands for.
//
//	<origin>                                   AtApex
//	ns1.<apex>.<origin>                        AtNameServer
//	<service>.<namespace>.<origin>             AtExternalIP or AtEndpoints
//	_<port>._<protocol>.<service>...           AtExternalIP or AtEndpoints
//	<endpoint>.<service>.<namespace>.<origin>  AtEndpoints, of a Service without an external address
//	<d>.<c>.<b>.<a>.in-addr.arpa               AtAddress
func (v *view) locate(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	m := v.find(s, n, o)
	m.Name, m.Subset.Outside, m.Subset.PodNames = resolve.KindExternal, true, v.cluster.PodNames
	return m
}

func (v *view) find(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	rest := n.Labels() - o.Labels()
	if rest == 0 {
		return resolve.LocateApex(n, o)
	}
	if found, ok := v.findServer(n, rest); ok {
		return found
	}
	switch {
	case n.IsReverse():
		return v.findReverse(s, n)
	case n.Wire() == dnsname.Arpa && s.ExternalAddrs().Len() > 0:
		return resolve.Match{Kind: resolve.EmptyNonTerminal}
	}
	return v.findService(s, n, rest)
}

// findServer finds the names at and below the apex label, of which only one has records. It
// reports false for other names there, which are left to the cluster.
func (v *view) findServer(n *dnsname.Name, rest int) (resolve.Match, bool) {
	for i := v.apex.Labels() - 1; i >= 0 && rest > 0; i-- {
		if n.Label(rest-1) != v.apex.Label(i) {
			return resolve.Match{}, false
		}
		rest--
	}
	switch {
	case rest == 0:
		return resolve.Match{Kind: resolve.EmptyNonTerminal}, true
	case rest == 1 && n.Label(0) == serverLabel:
		return resolve.Match{Kind: resolve.AtNameServer}, true
	}
	return resolve.Match{}, true
}

// findService finds the names of Services; rest is the number of labels below
// the origin.
func (v *view) findService(s *cluster.Snapshot, n *dnsname.Name, rest int) resolve.Match {
	namespace := n.Label(rest - 1)
	if !v.cluster.Exposes(s, namespace) {
		return resolve.Match{}
	}
	if rest == 1 {
		return resolve.Match{Kind: resolve.EmptyNonTerminal}
	}
	svc := s.Service(cluster.Key{Namespace: namespace, Name: n.Label(rest - 2)})
	if svc == nil {
		return resolve.Match{}
	}
	switch rest {
	case 2:
		return v.locateOwn(svc)
	case 3:
		return v.locateEndpoint(svc, n.Label(0))
	case 4:
		return v.locatePort(svc, resolve.PortFilter{Name: resolve.Undecorated(n.Label(0)), Protocol: resolve.Undecorated(n.Label(1))})
	}
	return resolve.Match{}
}

// locateOwn finds a Service's own name. A Service with a ClusterIP alone has none, but its
// endpoints may have names below it.
func (v *view) locateOwn(svc *cluster.ServiceNode) resolve.Match {
	m := resolve.Match{Service: svc}
	switch {
	case svc.Service.HasExternal():
		m.Kind = resolve.AtExternalIP
	case !v.headless || !svc.HasReadyEndpoints():
	case svc.Service.Kind == cluster.Headless:
		m.Kind = resolve.AtEndpoints
	default:
		m.Kind = resolve.EmptyNonTerminal
	}
	return m
}

// locateEndpoint finds a name one label below a Service: an endpoint, or the empty
// non-terminal above the Service's ports. Endpoints of a Service with an external address
// are not visible outside.
func (v *view) locateEndpoint(svc *cluster.ServiceNode, label string) resolve.Match {
	m := resolve.Match{Service: svc, Subset: resolve.Subset{Kind: resolve.ByLabel, Name: label}}
	protocol := resolve.Undecorated(label)
	like := func(p cluster.Port) bool { return p.Name != "" && p.Protocol == protocol }
	switch {
	case svc.Service.HasExternal():
		if slices.ContainsFunc(svc.Service.Ports, like) {
			m.Kind = resolve.EmptyNonTerminal
		}
	case !v.headless:
	case svc.HasLabel(label, v.cluster.PodNames):
		m.Kind = resolve.AtEndpoints
	case svc.Service.Kind == cluster.Headless && svc.HasPort(like):
		m.Kind = resolve.EmptyNonTerminal
	}
	return m
}

// locatePort finds the name of a port: the hosts of the Service, with that port only.
func (v *view) locatePort(svc *cluster.ServiceNode, f resolve.PortFilter) resolve.Match {
	m := resolve.Match{Service: svc, Subset: resolve.Subset{Kind: resolve.ByPort, Ports: f}}
	switch {
	case svc.Service.HasExternal():
		if slices.ContainsFunc(svc.Service.Ports, f.Matches) {
			m.Kind = resolve.AtExternalIP
		}
	case v.headless && svc.Service.Kind == cluster.Headless && svc.HasPort(f.Matches):
		m.Kind = resolve.AtEndpoints
	}
	return m
}

// findReverse finds the reverse name of an external address, or an empty non-terminal above
// one.
func (v *view) findReverse(s *cluster.Snapshot, n *dnsname.Name) resolve.Match {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return resolve.Match{}
	case prefix.IsSingleIP():
		return resolve.Match{Kind: resolve.AtAddress, Addr: prefix.Addr()}
	case s.ExternalAddrs().Covers(prefix):
		return resolve.Match{Kind: resolve.EmptyNonTerminal}
	}
	return resolve.Match{}
}
