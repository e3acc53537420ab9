package zone

import (
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// zoneLabel and the directives below it ask for the endpoints of one failure
// domain (stock CoreDNS, property zonal).
const (
	zoneLabel       = "_zone"
	directivePin    = "pin"    // those of the topology zone, or none
	directivePrefer = "prefer" // those of the topology zone, or all if it has none
)

// locateService finds the names below svc; rest is the number of labels before it.
func (v *View) locateService(s *cluster.Snapshot, n *dnsname.Name, o *Origin, rest int) place {
	if rest == 0 {
		return place{kind: atEmpty, name: KindZone}
	}
	namespace := n.Label(rest - 1)
	if !v.exposes(s, namespace) {
		return place{name: KindNamespace}
	}
	if rest == 1 {
		return place{kind: atEmpty, name: KindNamespace}
	}
	svc := v.visibleService(s, o, cluster.Key{Namespace: namespace, Name: n.Label(rest - 2)})
	switch {
	case svc == nil:
		return place{name: KindService}
	case rest == 2:
		return locateOwn(svc)
	}
	return v.locateBelow(svc, n, o, rest-2)
}

// locateBelow finds the names below a Service; rest is the number of labels before it.
func (v *View) locateBelow(svc *cluster.ServiceNode, n *dnsname.Name, o *Origin, rest int) place {
	switch {
	case svc.Service.Kind == cluster.ExternalName:
		return place{name: KindEndpoint}
	case v.Zonal && !o.ClusterSet && n.Label(rest-1) == zoneLabel:
		return otherwise(v.zonalNode(svc, n, rest-1), KindEndpoint)
	case rest == 1 && o.ClusterSet:
		return otherwise(v.importedNode(svc, n.Label(0)), KindEndpoint)
	case rest == 1:
		return v.locateEndpoint(svc, n.Label(0))
	case rest == 2 && o.hasClusterIn(n):
		return otherwise(v.importedNamed(svc, n.Label(0), n.Label(1)), KindEndpoint)
	case rest == 2:
		return locatePort(svc, portFilter{undecorated(n.Label(0)), undecorated(n.Label(1))})
	}
	return place{name: KindEndpoint}
}

// hasClusterIn says whether the first two labels of a name two labels below a
// Service are an endpoint and its cluster, which only an origin of the cluster set
// has, or a port and its protocol. An underscore tells them apart.
func (o *Origin) hasClusterIn(n *dnsname.Name) bool {
	return o.ClusterSet && n.Label(0)[0] != '_' && n.Label(1)[0] != '_'
}

// published is the node of a Service that the view shows in an origin, or nil.
func (v *View) visibleService(s *cluster.Snapshot, o *Origin, k cluster.Key) *cluster.ServiceNode {
	svc := s.Service(k)
	if o.ClusterSet {
		svc = s.Import(k)
	}
	if svc != nil && v.IgnoreEmpty && svc.Service.Kind == cluster.ClusterIP && !svc.HasReadyEndpoints() {
		return nil
	}
	return svc
}

// locateOwn is the place of a Service's own name. A headless Service without ready
// endpoints does not exist (Kubernetes DNS specification 2.4.1), nor does an
// ExternalName Service without a usable name.
func locateOwn(svc *cluster.ServiceNode) place {
	p := place{name: nameKinds[svc.Service.Kind], service: svc}
	switch {
	case svc.Service.Kind == cluster.ExternalName:
		p.kind = atAlias
	case svc.Service.Kind != cluster.Headless:
		p.kind = atClusterIP
	case svc.HasReadyEndpoints():
		p.kind = atEndpoints
	}
	return p
}

// locateEndpoint finds a name one label below a Service: an endpoint, or the empty
// non-terminal above the Service's ports.
func (v *View) locateEndpoint(svc *cluster.ServiceNode, label string) place {
	p := place{name: KindEndpoint, service: svc, label: label}
	switch {
	case svc.HasLabel(label, v.PodNames):
		p.kind = atLabel
	case svc.HasProtocol(undecorated(label)):
		p.kind = atEmpty
	}
	return p
}

// importedNode is the node of a name one label below an import. An endpoint that a
// cluster exports is below the label of the cluster.
func (v *View) importedNode(svc *cluster.ServiceNode, label string) node {
	if found := v.importedNamed(svc, label, ""); found != nil {
		return found
	}
	if svc.Exported(label).HasReadyEndpoints() || svc.HasProtocol(undecorated(label)) {
		return bare{}
	}
	return nil
}

// importedNamed is the node of endpoints that a cluster exports.
func (v *View) importedNamed(svc *cluster.ServiceNode, label, cluster string) node {
	c := group{service: svc, subset: subset{kind: byImport, name: label, cluster: cluster, podNames: v.PodNames}}
	if !c.exists() {
		return nil
	}
	return c
}

// locatePort is the place of a port: what the Service has, but with that port only.
func locatePort(svc *cluster.ServiceNode, f portFilter) place {
	p := place{name: KindPort, service: svc, ports: f}
	switch {
	case !svc.HasPort(f.matches):
	case svc.Service.Kind == cluster.Headless:
		p.kind = atEndpointsOf
	default:
		p.kind = atPort
	}
	return p
}

// zonalNode is the node of a name below _zone of a headless Service; rest is the
// number of labels before it. Every topology zone has a name, even one without
// endpoints: a client that pairs types must not be told that there is no name.
func (v *View) zonalNode(svc *cluster.ServiceNode, n *dnsname.Name, rest int) node {
	if svc.Service.Kind != cluster.Headless || !svc.HasReadyEndpoints() {
		return nil
	}
	if rest == 0 {
		return bare{}
	}
	directive := n.Label(rest - 1)
	if directive != directivePin && directive != directivePrefer {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	c := group{service: svc, subset: subset{kind: byZone, podNames: v.PodNames}}
	// A dot within a label is not one between two.
	if topologyZone := n.Join(rest - 1); strings.Count(topologyZone, ".") == rest-2 && hasTopologyZone(svc, topologyZone) {
		c.subset.name = topologyZone
		return c
	}
	if directive == directivePrefer {
		c.subset.kind = everyone
		return c
	}
	return hosts{}
}

// undecorated is a port's or protocol's name without the underscore of RFC 2782,
// which stock CoreDNS does not insist on either.
func undecorated(label string) string { return strings.TrimPrefix(label, "_") }

// portFilter chooses ports by name and protocol.
type portFilter struct{ name, protocol string }

// matches says whether a port is meant. Without a name there is no SRV record
// (Kubernetes DNS specification 2.3.2), so an empty name matches none.
func (f portFilter) matches(p cluster.Port) bool {
	return p.Name != "" && p.Name == f.name && p.Protocol == f.protocol
}

// choose returns the ports that match.
func (f portFilter) choose(ports []cluster.Port) []cluster.Port {
	var chosen []cluster.Port
	for _, p := range ports {
		if f.matches(p) {
			chosen = append(chosen, p)
		}
	}
	return chosen
}
