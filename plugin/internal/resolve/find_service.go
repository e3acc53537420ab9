package resolve

import (
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// zoneLabel and the directives below it select the endpoints of one topology zone (property
// zonal of stock CoreDNS).
const (
	zoneLabel       = "_zone"
	directivePin    = "pin"    // the endpoints of the topology zone, or none
	directivePrefer = "prefer" // the endpoints of the topology zone, or all endpoints if it has none
)

// locateService finds the names below svc; rest is the number of labels before svc.
func (v *View) locateService(s *cluster.Snapshot, n *dnsname.Name, o *Origin, rest int) Match {
	if rest == 0 {
		return Match{Kind: EmptyNonTerminal, Name: KindZone}
	}
	namespace := n.Label(rest - 1)
	if !v.Exposes(s, namespace) {
		return Match{Name: KindNamespace}
	}
	if rest == 1 {
		return Match{Kind: EmptyNonTerminal, Name: KindNamespace}
	}
	svc := v.VisibleService(s, o, cluster.Key{Namespace: namespace, Name: n.Label(rest - 2)})
	switch {
	case svc == nil:
		return Match{Name: KindService}
	case rest == 2:
		return v.locateOwn(svc)
	}
	return v.locateBelow(svc, n, o, rest-2)
}

// locateBelow finds the names below a Service; rest is the number of labels before the
// Service.
func (v *View) locateBelow(svc *cluster.ServiceNode, n *dnsname.Name, o *Origin, rest int) Match {
	switch {
	case svc.Service.Kind == cluster.ExternalName:
		return Match{Name: KindEndpoint}
	case v.Zonal && !o.ClusterSet && n.Label(rest-1) == zoneLabel:
		return v.locateZonal(svc, n, rest-1)
	case rest == 1 && o.ClusterSet:
		return v.locateImported(svc, n.Label(0))
	case rest == 1:
		return v.locateEndpoint(svc, n.Label(0))
	case rest == 2 && o.hasClusterIn(n):
		return v.locateExported(svc, n.Label(0), n.Label(1))
	case rest == 2:
		return v.locatePort(svc, PortFilter{Undecorated(n.Label(0)), Undecorated(n.Label(1))})
	}
	return Match{Name: KindEndpoint}
}

// hasClusterIn reports whether the two labels below a Service are an endpoint and its
// cluster. They are in an origin of the cluster set, unless one begins with an underscore;
// otherwise they are a port and its protocol.
func (o *Origin) hasClusterIn(n *dnsname.Name) bool {
	return o.ClusterSet && n.Label(0)[0] != '_' && n.Label(1)[0] != '_'
}

// VisibleService returns the node of a Service that the view shows in an origin, or nil.
func (v *View) VisibleService(s *cluster.Snapshot, o *Origin, k cluster.Key) *cluster.ServiceNode {
	svc := s.Service(k)
	if o.ClusterSet {
		svc = s.Import(k)
	}
	if svc != nil && v.IgnoreEmpty && svc.Service.Kind == cluster.ClusterIP && !svc.HasReadyEndpoints() {
		return nil
	}
	return svc
}

// locateOwn finds the name of a Service itself. A headless Service without ready endpoints
// does not exist (Kubernetes DNS specification 2.4.1), nor does an ExternalName Service
// without a usable name.
func (v *View) locateOwn(svc *cluster.ServiceNode) Match {
	m := Match{Name: nameKinds[svc.Service.Kind], Service: svc, Subset: Subset{PodNames: v.PodNames}}
	switch {
	case svc.Service.Kind == cluster.ExternalName:
		m.Kind = AtAlias
	case svc.Service.Kind != cluster.Headless:
		m.Kind = AtClusterIP
	case svc.HasReadyEndpoints():
		m.Kind = AtEndpoints
	}
	return m
}

// locateEndpoint finds a name one label below a Service: an endpoint, or the empty
// non-terminal above the ports with one protocol.
func (v *View) locateEndpoint(svc *cluster.ServiceNode, label string) Match {
	m := Match{Name: KindEndpoint, Service: svc, Subset: Subset{Kind: ByLabel, Name: label, PodNames: v.PodNames}}
	switch {
	case svc.HasLabel(label, v.PodNames):
		m.Kind = AtEndpoints
	case svc.HasProtocol(Undecorated(label)):
		m.Kind = EmptyNonTerminal
	}
	return m
}

// locateImported finds a name one label below an import: the empty non-terminal above the
// endpoints of a cluster or above ports, or an endpoint of a slice that names no cluster.
func (v *View) locateImported(svc *cluster.ServiceNode, label string) Match {
	m := v.locateExported(svc, label, "")
	if m.Kind == NoName && (exports(svc, label) || svc.HasProtocol(Undecorated(label))) {
		m.Kind = EmptyNonTerminal
	}
	return m
}

// locateExported finds the endpoints with a label that one cluster exports. Cluster
// identifiers are compared in lower case; an empty one selects the slices that do not name
// their cluster.
func (v *View) locateExported(svc *cluster.ServiceNode, label, from string) Match {
	m := Match{Name: KindEndpoint, Service: svc, Subset: Subset{Kind: ByImport, Name: label, Cluster: from, PodNames: v.PodNames}}
	for _, slice := range svc.Slices {
		if strings.ToLower(slice.Cluster) != from {
			continue
		}
		for range slice.WithLabel(label, v.PodNames) {
			m.Kind = AtEndpoints
			return m
		}
	}
	return m
}

// exports reports whether a cluster exports endpoints of the Service.
func exports(n *cluster.ServiceNode, from string) bool {
	return slices.ContainsFunc(n.Slices, func(s *cluster.Slice) bool {
		return s.Endpoints.Len() > 0 && strings.ToLower(s.Cluster) == from
	})
}

// locatePort finds the name of a port: the hosts of the Service, with that port only.
func (v *View) locatePort(svc *cluster.ServiceNode, f PortFilter) Match {
	m := Match{Name: KindPort, Service: svc, Subset: Subset{Kind: ByPort, Ports: f, PodNames: v.PodNames}}
	switch {
	case !svc.HasPort(f.Matches):
	case svc.Service.Kind == cluster.Headless:
		m.Kind = AtEndpoints
	default:
		m.Kind = AtClusterIP
	}
	return m
}

// locateZonal finds a name below _zone of a headless Service; rest is the number of labels
// before _zone. Every topology zone has a name, even one without endpoints: a client that
// asks for A and AAAA must not get NXDOMAIN for one of them.
func (v *View) locateZonal(svc *cluster.ServiceNode, n *dnsname.Name, rest int) Match {
	m := Match{Name: KindEndpoint, Service: svc, Subset: Subset{Kind: ByZone, PodNames: v.PodNames}}
	if svc.Service.Kind != cluster.Headless || !svc.HasReadyEndpoints() {
		return m
	}
	if rest == 0 {
		m.Kind = EmptyNonTerminal
		return m
	}
	directive := n.Label(rest - 1)
	if directive != directivePin && directive != directivePrefer {
		return m
	}
	m.Kind = EmptyNonTerminal
	if rest == 1 {
		return m
	}
	if name, ok := topologyZone(svc, n, rest-1); ok {
		m.Kind, m.Subset.Name = AtEndpoints, name
	} else if directive == directivePrefer {
		m.Kind, m.Subset.Kind = AtEndpoints, All
	}
	return m
}

// topologyZone returns the topology zone whose name the first labels spell. A dot within a
// label is not a dot between labels.
func topologyZone(n *cluster.ServiceNode, name *dnsname.Name, labels int) (string, bool) {
	for _, slice := range n.Slices {
		for _, zone := range slice.TopologyZones() {
			if spells(name, labels, zone) {
				return zone, true
			}
		}
	}
	return "", false
}

// spells reports whether the first labels of a name, with dots between them, equal the
// text.
func spells(name *dnsname.Name, labels int, text string) bool {
	for i := range labels {
		label, rest, more := strings.Cut(text, ".")
		if label != name.Label(i) || more != (i < labels-1) {
			return false
		}
		text = rest
	}
	return true
}

// Undecorated returns the name of a port or protocol without the underscore of RFC 2782,
// which stock CoreDNS does not require either.
func Undecorated(label string) string { return strings.TrimPrefix(label, "_") }

// PortFilter chooses ports by name and protocol.
type PortFilter struct{ Name, Protocol string }

// FilterOf returns the filter that chooses ports with the name and protocol of p.
func FilterOf(p cluster.Port) PortFilter { return PortFilter{Name: p.Name, Protocol: p.Protocol} }

// NameBelow returns the name of the chosen port below the name of its Service (RFC 2782).
func (f PortFilter) NameBelow(service string) string {
	return "_" + f.Name + "._" + f.Protocol + "." + service
}

// Matches reports whether the filter chooses a port. A port without a name has no SRV
// record (Kubernetes DNS specification 2.3.2), so no filter chooses it.
func (f PortFilter) Matches(p cluster.Port) bool {
	return p.Name != "" && p.Name == f.Name && p.Protocol == f.Protocol
}
