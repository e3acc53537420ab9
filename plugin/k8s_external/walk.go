package external

import (
	"math"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// Transfer returns the records of a zone, as the plugin transfer requests them. That plugin
// finds the handler by this method.
func (h *handler) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return h.cluster.Primary().Transfer(&h.view, name, serial)
}

// SOA implements xfr.Zones.
func (v *view) SOA(s *cluster.Snapshot, o resolve.Origin, spelled string) dns.RR {
	return answer.SOA(&v.zones, s, o, spelled)
}

// Ready implements xfr.Zones.
func (v *view) Ready(s *cluster.Snapshot) bool { return v.zones.Ready(s) }

// Walk implements xfr.Zones: it yields the name server with its addresses, then the
// Services.
//
// Every RRset is the one that a look-up answers with, with two exceptions: ports have SRV
// records only, and the alias of a load balancer stands alone (RFC 1034 3.6.2), because a
// secondary would refuse a zone with other records beside it.
func (v *view) Walk(s *cluster.Snapshot, o resolve.Origin, part xfr.Part, yield func(dns.RR) bool) {
	if !v.transferApex(s, o, yield) {
		return
	}
	for _, k := range part.Services(s, o) {
		svc := s.Service(k)
		if svc == nil || !v.cluster.Exposes(s, k.Namespace) || v.hides(k) {
			continue
		}
		for _, name := range v.names(svc, o.String()) {
			if !v.transferName(s, o, name, yield) {
				return
			}
		}
	}
}

// hides reports whether a Service's name is below the apex label, where only the name
// server has a name.
func (v *view) hides(k cluster.Key) bool {
	last := v.apex.Labels() - 1
	if last < 0 || v.apex.Label(last) != k.Namespace {
		return false
	}
	return last == 0 || v.apex.Label(last-1) == k.Name
}

// externalRRs is a name with the types that a transfer has of it.
type externalRRs struct {
	owner string
	match resolve.Match
	types []uint16
}

var (
	addressTypes = []uint16{dns.TypeA, dns.TypeAAAA}
	hostTypes    = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV}
	portTypes    = []uint16{dns.TypeSRV}
)

func (v *view) transferApex(s *cluster.Snapshot, o resolve.Origin, yield func(dns.RR) bool) bool {
	server := dnsname.Below(o.String(), v.belowApex(serverLabel))
	return yield(answer.NS(o.String(), server, v.zones.TTL)) &&
		v.transferName(s, o, externalRRs{server, resolve.Match{Kind: resolve.AtNameServer, Servers: v.servers(s, math.MaxInt)}, addressTypes}, yield)
}

// transferName yields the RRsets of a name. It leaves out a name that is too long for a
// message, which would spoil the whole transfer.
func (v *view) transferName(s *cluster.Snapshot, o resolve.Origin, rrs externalRRs, yield func(dns.RR) bool) bool {
	n, err := dnsname.Parse(rrs.owner)
	if err != nil {
		return true
	}
	if target := rrs.match.Target(false); target != nil && rrs.types[0] != dns.TypeSRV {
		return yield(answer.CNAME(rrs.owner, target.String(), v.zones.TTL))
	}
	rrs.match.Subset.Outside, rrs.match.Subset.PodNames = true, v.cluster.PodNames
	for _, qtype := range rrs.types {
		if slices.ContainsFunc(answer.RRset(&v.zones, s, &n, &o, &rrs.match, qtype), func(rr dns.RR) bool { return !yield(rr) }) {
			return false
		}
	}
	return true
}

// names returns the names of a Service, of its named ports and, if it is shown by them, of
// its endpoints. As in the cluster's own zones, endpoints of a Service with a ClusterIP
// cannot be transferred.
func (v *view) names(svc *cluster.ServiceNode, origin string) []externalRRs {
	own := v.locateOwn(svc)
	own.Subset.Outside, own.Subset.PodNames = true, v.cluster.PodNames
	name := own.Subset.NameOf(svc)
	list := []externalRRs{{name.Text(origin), own, hostTypes}}
	var ports []cluster.Port
	var labels []string
	switch own.Kind {
	case resolve.AtExternalIP:
		ports = svc.Service.Ports
	case resolve.AtEndpoints:
		for _, slice := range svc.Slices {
			for e := range slice.Endpoints.All() {
				ports = append(ports, slice.Ports...)
				labels = append(labels, e.Label(v.cluster.PodNames))
			}
		}
	default:
		return nil
	}
	for _, f := range namedPorts(ports) {
		list = append(list, externalRRs{f.NameBelow(name.Text(origin)), v.locatePort(svc, f), portTypes})
	}
	for _, label := range cluster.Distinct(labels) {
		list = append(list, externalRRs{label + "." + name.Text(origin), v.locateEndpoint(svc, label), hostTypes})
	}
	return list
}

// namedPorts returns the names of ports, without repetitions.
func namedPorts(ports []cluster.Port) []resolve.PortFilter {
	var list []resolve.PortFilter
	for _, p := range ports {
		if p.HasName() {
			list = append(list, resolve.FilterOf(p))
		}
	}
	return cluster.Distinct(list)
}
