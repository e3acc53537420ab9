package zone

import (
	"iter"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// SOA is the SOA record of an origin in a snapshot.
func (v *ExternalView) SOA(s *cluster.Snapshot, o Origin) dns.RR {
	return v.soa(o.String(), s.Serial())
}

// Transfer iterates over what a secondary is to have of an origin, each record
// once and in an order that depends on the data alone: the name server with its
// addresses, then the Services by namespace and name. The SOA records around it
// (RFC 5936 2.2) are the caller's.
//
// Every RRset is the one that a look-up answers with, but for two: ports have SRV
// records only, and the alias of a load balancer stands alone (RFC 1034 3.6.2),
// since a secondary would refuse a zone with anything beside it.
func (v *ExternalView) Transfer(s *cluster.Snapshot, o Origin) iter.Seq[dns.RR] {
	return func(yield func(dns.RR) bool) { v.transfer(s, o, s.Keys(o.ClusterSet), yield) }
}

// Difference compares the records of an origin, in the order of a transfer. The
// snapshots must be of one store: what they share is not looked at.
func (v *ExternalView) Difference(before, after *cluster.Snapshot, o Origin) Difference {
	return difference(v.transfer, before, after, o)
}

// transfer passes on the name server and some of the Services.
func (v *ExternalView) transfer(s *cluster.Snapshot, o Origin, keys []cluster.Key, yield func(dns.RR) bool) {
	if !v.transferApex(s, o, yield) {
		return
	}
	for _, k := range keys {
		svc := s.Service(k)
		if svc == nil || !v.Cluster.exposes(s, k.Namespace) || v.hides(k) {
			continue
		}
		for _, name := range v.names(svc, o.String()) {
			if !v.transferName(s, o, name, yield) {
				return
			}
		}
	}
}

// hides says whether a Service's name is below the apex label, where there is
// nothing but the name server.
func (v *ExternalView) hides(k cluster.Key) bool {
	last := v.Apex.Labels() - 1
	if last < 0 || v.Apex.Label(last) != k.Namespace {
		return false
	}
	return last == 0 || v.Apex.Label(last-1) == k.Name
}

// outerRRsets is a name with the types that it has in a transfer.
type outerRRsets struct {
	owner string
	node  node
	types []uint16
}

var (
	addressTypes = []uint16{dns.TypeA, dns.TypeAAAA}
	hostTypes    = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV}
	portTypes    = []uint16{dns.TypeSRV}
)

func (v *ExternalView) transferApex(s *cluster.Snapshot, o Origin, yield func(dns.RR) bool) bool {
	server := v.belowApex(o.String(), "ns1")
	return yield(&dns.NS{Hdr: header(o.String(), dns.TypeNS, v.TTL), Ns: server}) &&
		v.transferName(s, o, outerRRsets{server, outerServer{v}, addressTypes}, yield)
}

// transferName passes on the RRsets of a name. A name that is too long for a
// message would cost the whole transfer.
func (v *ExternalView) transferName(s *cluster.Snapshot, o Origin, name outerRRsets, yield func(dns.RR) bool) bool {
	if unsendable(name.owner) {
		return true
	}
	var a Answer
	b := builder{view: v.own(), snapshot: s, owner: name.owner, origin: o.String(), answer: &a, room: Everything}
	if target, ok := aliasOf(name.node, dns.TypeCNAME); ok && name.types[0] != dns.TypeSRV {
		b.add(&dns.CNAME{Hdr: b.header(dns.TypeCNAME), Target: target.String()})
	} else {
		for _, t := range name.types {
			name.node.rrset(&b, t)
		}
	}
	return !slices.ContainsFunc(a.Records, func(rr dns.RR) bool { return !yield(rr) })
}

// names are those of a Service, its named ports and, if it is shown by them, its
// endpoints. The endpoints of a Service with a ClusterIP are not data, as in the
// cluster's own zones.
func (v *ExternalView) names(svc *cluster.ServiceNode, origin string) []outerRRsets {
	own := v.serviceNode(svc)
	name := outerName(svc, origin)
	list := []outerRRsets{{name, own, hostTypes}}
	var ports []cluster.Port
	var labels []string
	switch own := own.(type) {
	case outer:
		ports = svc.Service.Ports
	case group:
		for _, x := range own.list() {
			ports = append(ports, x.ports...)
			labels = append(labels, x.label(own.subset.podNames))
		}
	default:
		return nil
	}
	for _, f := range namedPorts(ports) {
		list = append(list, outerRRsets{portName(cluster.Port{Name: f.name, Protocol: f.protocol}, name), v.portNode(svc, f), portTypes})
	}
	for _, label := range unique(labels) {
		list = append(list, outerRRsets{label + "." + name, v.endpointNode(svc, label), hostTypes})
	}
	return list
}

// namedPorts are the names that ports have, each once.
func namedPorts(ports []cluster.Port) []portFilter {
	var list []portFilter
	for _, p := range ports {
		if p.HasName() {
			list = append(list, portFilter{p.Name, p.Protocol})
		}
	}
	return unique(list)
}
