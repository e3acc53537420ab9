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
func (v *View) locateService(m *Match, s *cluster.Snapshot, n *dnsname.Name, o *Origin, rest int) {
	if rest == 0 {
		m.Kind = EmptyNonTerminal
		return
	}
	m.Name = KindNamespace
	namespace := n.Label(rest - 1)
	if !v.Exposes(s, namespace) {
		return
	}
	if rest == 1 {
		m.Kind = EmptyNonTerminal
		return
	}
	m.Service = v.VisibleService(s, o, cluster.Key{Namespace: namespace, Name: n.Label(rest - 2)})
	m.Subset.PodNames = v.PodNames
	switch {
	case m.Service == nil:
		m.Name = KindService
	case rest == 2:
		m.locateOwn()
	default:
		m.Name = KindEndpoint
		v.locateBelow(m, n, o, rest-2)
	}
}

// locateBelow finds the names below a Service; rest is the number of labels before the
// Service.
func (v *View) locateBelow(m *Match, n *dnsname.Name, o *Origin, rest int) {
	switch {
	case m.Service.Service.Kind == cluster.ExternalName:
	case v.Zonal && !o.ClusterSet && n.Label(rest-1) == zoneLabel:
		m.locateZonal(n, rest-1)
	case rest == 1 && o.ClusterSet:
		m.locateImported(n.Label(0))
	case rest == 1:
		m.locateEndpoint(n.Label(0))
	case rest == 2 && o.hasClusterIn(n):
		m.locateExported(n.Label(0), n.Label(1))
	case rest == 2:
		m.locatePort(PortFilter{Undecorated(n.Label(0)), Undecorated(n.Label(1))})
	}
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
func (m *Match) locateOwn() {
	svc := m.Service
	m.Name = nameKinds[svc.Service.Kind]
	switch {
	case svc.Service.Kind == cluster.ExternalName:
		m.Kind = AtAlias
	case svc.Service.Kind != cluster.Headless:
		m.Kind = AtClusterIP
	case svc.HasReadyEndpoints():
		m.Kind = AtEndpoints
	}
}

// locateEndpoint finds a name one label below a Service: an endpoint, or the empty
// non-terminal above the ports with one protocol.
func (m *Match) locateEndpoint(label string) {
	m.Subset.Kind, m.Subset.Name = ByLabel, label
	switch {
	case m.Service.HasLabel(label, m.Subset.PodNames):
		m.Kind = AtEndpoints
	case m.Service.HasProtocol(Undecorated(label)):
		m.Kind = EmptyNonTerminal
	}
}

// locateImported finds a name one label below an import: the empty non-terminal above the
// endpoints of a cluster or above ports, or an endpoint of a slice that names no cluster.
func (m *Match) locateImported(label string) {
	m.locateExported(label, "")
	if m.Kind == NoName && (exports(m.Service, label) || m.Service.HasProtocol(Undecorated(label))) {
		m.Kind = EmptyNonTerminal
	}
}

// locateExported finds the endpoints with a label that one cluster exports. Cluster
// identifiers are compared in lower case; an empty one selects the slices that do not name
// their cluster.
func (m *Match) locateExported(label, from string) {
	m.Subset.Kind, m.Subset.Name, m.Subset.Cluster = ByImport, label, from
	for _, slice := range m.Service.Slices {
		if strings.ToLower(slice.Cluster) != from {
			continue
		}
		for range slice.WithLabel(label, m.Subset.PodNames) {
			m.Kind = AtEndpoints
			return
		}
	}
}

// exports reports whether a cluster exports endpoints of the Service.
func exports(n *cluster.ServiceNode, from string) bool {
	return slices.ContainsFunc(n.Slices, func(s *cluster.Slice) bool {
		return s.Endpoints.Len() > 0 && strings.ToLower(s.Cluster) == from
	})
}

// locatePort finds the name of a port: the hosts of the Service, with that port only.
func (m *Match) locatePort(f PortFilter) {
	m.Name, m.Subset.Kind, m.Subset.Ports = KindPort, ByPort, f
	switch {
	case !m.Service.HasPort(f.Matches):
	case m.Service.Service.Kind == cluster.Headless:
		m.Kind = AtEndpoints
	default:
		m.Kind = AtClusterIP
	}
}

// locateZonal finds a name below _zone of a headless Service; rest is the number of labels
// before _zone. Every topology zone has a name, even one without endpoints: a client that
// asks for A and AAAA must not get NXDOMAIN for one of them.
func (m *Match) locateZonal(n *dnsname.Name, rest int) {
	svc := m.Service
	m.Subset.Kind = ByZone
	if svc.Service.Kind != cluster.Headless || !svc.HasReadyEndpoints() {
		return
	}
	if rest == 0 {
		m.Kind = EmptyNonTerminal
		return
	}
	directive := n.Label(rest - 1)
	if directive != directivePin && directive != directivePrefer {
		return
	}
	m.Kind = EmptyNonTerminal
	if rest == 1 {
		return
	}
	if name, ok := topologyZone(svc, n, rest-1); ok {
		m.Kind, m.Subset.Name = AtEndpoints, name
	} else if directive == directivePrefer {
		m.Kind, m.Subset.Kind = AtEndpoints, All
	}
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
