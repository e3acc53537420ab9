package zone

import (
	"strings"

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
func (v *View) locateService(s *Snapshot, n *dnsname.Name, o *Origin, rest int) place {
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
	svc := v.published(s, o, Key{namespace, n.Label(rest - 2)})
	switch {
	case svc == nil:
		return place{name: KindService}
	case rest == 2:
		return locateOwn(svc)
	}
	return v.locateBelow(svc, n, o, rest-2)
}

// locateBelow finds the names below a Service; rest is the number of labels before it.
func (v *View) locateBelow(svc *serviceNode, n *dnsname.Name, o *Origin, rest int) place {
	switch {
	case svc.service.Kind == ExternalName:
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
func (v *View) published(s *Snapshot, o *Origin, k Key) *serviceNode {
	svc := s.service(k)
	if o.ClusterSet {
		svc = s.imported(k)
	}
	if svc != nil && v.IgnoreEmpty && svc.service.Kind == ClusterIP && !svc.serves() {
		return nil
	}
	return svc
}

// serves says whether the Service has a ready endpoint.
func (n *serviceNode) serves() bool {
	for _, slice := range n.slices {
		if slice.Endpoints.Len() > 0 {
			return true
		}
	}
	return false
}

// locateOwn is the place of a Service's own name. A headless Service without ready
// endpoints does not exist (Kubernetes DNS specification 2.4.1), nor does an
// ExternalName Service without a usable name.
func locateOwn(svc *serviceNode) place {
	p := place{name: nameKinds[svc.service.Kind], service: svc}
	switch {
	case svc.service.Kind == ExternalName:
		p.kind = atAlias
	case svc.service.Kind != Headless:
		p.kind = atClusterIP
	case svc.serves():
		p.kind = atEndpoints
	}
	return p
}

// locateEndpoint finds a name one label below a Service: an endpoint, or the empty
// non-terminal above the Service's ports.
func (v *View) locateEndpoint(svc *serviceNode, label string) place {
	p := place{name: KindEndpoint, service: svc, label: label}
	switch {
	case svc.hasLabel(label, v.PodNames):
		p.kind = atLabel
	case svc.hasProtocol(undecorated(label)):
		p.kind = atEmpty
	}
	return p
}

// importedNode is the node of a name one label below an import. An endpoint that a
// cluster exports is below the label of the cluster.
func (v *View) importedNode(svc *serviceNode, label string) node {
	if found := v.importedNamed(svc, label, ""); found != nil {
		return found
	}
	if svc.exported(label).serves() || svc.hasProtocol(undecorated(label)) {
		return bare{}
	}
	return nil
}

// importedNamed is the node of endpoints that a cluster exports.
func (v *View) importedNamed(svc *serviceNode, label, cluster string) node {
	c := group{service: svc, subset: subset{kind: byImport, name: label, cluster: cluster, podNames: v.PodNames}}
	if !c.exists() {
		return nil
	}
	return c
}

// exported is the part of an import that comes from a cluster. Identifiers of
// clusters are compared as names are; the empty one is that of slices which do
// not tell their cluster.
func (n *serviceNode) exported(cluster string) *serviceNode {
	part := &serviceNode{key: n.key, service: n.service}
	for _, slice := range n.slices {
		if strings.ToLower(slice.Cluster) == cluster {
			part.slices = append(part.slices, slice)
		}
	}
	return part
}

// locatePort is the place of a port: what the Service has, but with that port only.
func locatePort(svc *serviceNode, f portFilter) place {
	p := place{name: KindPort, service: svc, ports: f}
	switch {
	case !svc.hasPort(f.matches):
	case svc.service.Kind == Headless:
		p.kind = atEndpointsOf
	default:
		p.kind = atPort
	}
	return p
}

// zonalNode is the node of a name below _zone of a headless Service; rest is the
// number of labels before it. Every topology zone has a name, even one without
// endpoints: a client that pairs types must not be told that there is no name.
func (v *View) zonalNode(svc *serviceNode, n *dnsname.Name, rest int) node {
	if svc.service.Kind != Headless || !svc.serves() {
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
	if topologyZone := n.Join(rest - 1); strings.Count(topologyZone, ".") == rest-2 && svc.hasTopologyZone(topologyZone) {
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
func (f portFilter) matches(p Port) bool {
	return p.Name != "" && p.Name == f.name && p.Protocol == f.protocol
}

// choose returns the ports that match.
func (f portFilter) choose(ports []Port) []Port {
	var chosen []Port
	for _, p := range ports {
		if f.matches(p) {
			chosen = append(chosen, p)
		}
	}
	return chosen
}
