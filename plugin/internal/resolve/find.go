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

// Locate finds what a name in one of the view's origins stands for. It allocates nothing.
//
//	<origin>                                   AtApex
//	dns-version.<origin>                       AtVersion
//	ns.dns.<origin>                            AtNameServer
//	<service>.<namespace>.svc.<origin>         AtClusterIP, AtEndpoints or AtAlias
//	<endpoint>.<service>.<namespace>.svc...    AtEndpoints
//	_<port>._<protocol>.<service>...           AtClusterIP or AtEndpoints
//	<zone>.pin|prefer._zone.<service>...       AtEndpoints, where the view is zonal
//	<endpoint>.<cluster>.<service>...          AtEndpoints, in an origin of the cluster set
//	<a-b-c-d>.<namespace>.pod.<origin>         AtPod
//	<d>.<c>.<b>.<a>.in-addr.arpa               AtAddress
func (v *View) Locate(s *cluster.Snapshot, n *dnsname.Name, o *Origin) (m Match) {
	v.LocateInto(&m, s, n, o)
	return m
}

// LocateInto does the same as Locate, in an empty Match, because a Match is too large to be
// copied for each question.
func (v *View) LocateInto(m *Match, s *cluster.Snapshot, n *dnsname.Name, o *Origin) {
	rest := n.Labels() - o.Labels()
	switch {
	case rest == 0:
		*m = LocateApex(n, o)
		return
	case n.IsReverse():
		locateReverse(m, s, n)
		return
	case n.Wire() == dnsname.Arpa && s.Counts().Addresses > 0:
		m.Kind, m.Name = EmptyNonTerminal, KindReverse
		return
	}
	m.Name = KindZone
	switch n.Label(rest - 1) {
	case "svc":
		v.locateService(m, s, n, o, rest-1)
	case "pod":
		v.locatePod(m, s, n, rest-1)
	case "dns":
		locateServer(m, n, rest-1)
	case "dns-version":
		if rest == 1 {
			m.Kind = AtVersion
		}
	}
}

// LocateApex returns the match of an origin itself. The apex of a reverse zone may also be
// the reverse name of an address: a network whose prefix does not end between two labels is
// served as several zones, each of which may be one address.
func LocateApex(n *dnsname.Name, o *Origin) Match {
	m := Match{Kind: AtApex, Name: KindZone}
	if o.Reverse() {
		if prefix, ok := dnsname.ReversePrefix(n); ok && prefix.IsSingleIP() {
			m.Addr = prefix.Addr()
		}
	}
	return m
}

// locateServer finds the name ns.dns and the empty non-terminal dns above it.
func locateServer(m *Match, n *dnsname.Name, rest int) {
	switch {
	case rest == 0:
		m.Kind = EmptyNonTerminal
	case rest == 1 && n.Label(0) == "ns":
		m.Kind = AtNameServer
	}
}

// locatePod finds the names below pod; rest is the number of labels before pod.
func (v *View) locatePod(m *Match, s *cluster.Snapshot, n *dnsname.Name, rest int) {
	if rest == 0 {
		m.Kind = EmptyNonTerminal
		return
	}
	m.Name = KindPod
	if v.Pods == PodsDisabled {
		return
	}
	namespace := n.Label(rest - 1)
	if !v.Exposes(s, namespace) {
		m.Name = KindNamespace
		return
	}
	if rest == 1 {
		m.Kind, m.Name = EmptyNonTerminal, KindNamespace
		return
	}
	addr, ok := dnsname.ParseDashed(n.Label(0))
	if rest > 2 || !ok || v.Pods == PodsVerified && !s.HasPod(addr, namespace) {
		return
	}
	m.Kind, m.Addr = AtPod, addr
}

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
