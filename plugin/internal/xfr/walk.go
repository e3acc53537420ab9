package xfr

import (
	"iter"
	"math"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Zones are zones with records.
type Zones interface {
	// Ready reports whether a snapshot has all that the zones show.
	Ready(s *cluster.Snapshot) bool
	// SOA returns the SOA record of an origin in a snapshot. The origin's name is spelled like this:
	// as in the question, if the record answers one.
	SOA(s *cluster.Snapshot, o resolve.Origin, spelled string) dns.RR
	// Walk yields all other records of an origin that a secondary gets, without
	// repetitions: the name servers with their addresses, then those of the objects in the part.
	// The order depends only on the data.
	Walk(s *cluster.Snapshot, o resolve.Origin, part Part, yield func(dns.RR) bool)
}

// Part says which objects a walk is about: those that may differ between two snapshots of one store,
// whose common branches are not looked at. The zero Part has all objects.
type Part struct {
	Before, After *cluster.Snapshot
}

// Services returns the keys of the Services of a zone, by namespace and name.
func (p Part) Services(s *cluster.Snapshot, o resolve.Origin) []cluster.Key {
	if p.Before == nil {
		return s.Keys(o.ClusterSet)
	}
	return cluster.ChangedServices(p.Before, p.After, o.ClusterSet)
}

// Published returns the published names, sorted.
func (p Part) Published(s *cluster.Snapshot) []string {
	if p.Before == nil {
		return s.PublishedNames()
	}
	return cluster.ChangedNames(p.Before, p.After)
}

// recordsOf iterates over all records of an origin. The caller adds the SOA records around them
// (RFC 5936 2.2).
func recordsOf(z Zones, s *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	return func(yield func(dns.RR) bool) { z.Walk(s, o, Part{}, yield) }
}

// ClusterZones are the zones of a cluster.
//
// A secondary has less than we do. Names that are made from the question, such as those of
// Pods, cannot be transferred, nor can endpoints of a Service with a ClusterIP.
type ClusterZones struct{ *resolve.View }

// SOA implements Zones.
func (z ClusterZones) SOA(s *cluster.Snapshot, o resolve.Origin, spelled string) dns.RR {
	return answer.SOA(z.View, s, o, spelled)
}

// Walk implements Zones.
func (z ClusterZones) Walk(s *cluster.Snapshot, o resolve.Origin, part Part, yield func(dns.RR) bool) {
	w := walk{view: z.View, origin: o.String(), yield: yield}
	w.nameservers(s, o)
	for _, k := range part.Services(s, o) {
		if w.ended {
			return
		}
		if svc := w.shown(s, &o, k); svc != nil {
			w.service(svc)
		}
	}
}

// walk yields the records of one zone, without repetitions.
type walk struct {
	view   *resolve.View
	origin string
	yield  func(dns.RR) bool
	ended  bool                   // the consumer wants no more
	seen   map[recordKey]struct{} // for the part of the zone with repeated records
}

// recordKey identifies a record.
type recordKey struct {
	owner, target string
	port          uint16
	addr          netip.Addr
}

// pass yields a record, unless it is a repetition or has a name that is too long for a
// message, which would spoil the whole transfer.
func (w *walk) pass(k recordKey, rr dns.RR) {
	if _, dup := w.seen[k]; dup || w.ended || dnsname.TooLong(k.owner) || dnsname.TooLong(k.target) {
		return
	}
	w.seen[k] = struct{}{}
	w.ended = !w.yield(rr)
}

func (w *walk) address(owner string, a netip.Addr) {
	w.pass(recordKey{owner: owner, addr: a}, answer.Address(owner, a, w.view.TTL))
}

func (w *walk) srv(owner, target string, port, weight uint16) {
	w.pass(recordKey{owner: owner, target: target, port: port}, answer.SRV(owner, weight, port, target, w.view.TTL))
}

// nameservers yields the NS RRset and the addresses of its targets. It leaves out addresses
// that a Service of the zone yields later. A Namespace that is not shown yields none, but a
// zone whose name servers have no address would be useless.
func (w *walk) nameservers(s *cluster.Snapshot, o resolve.Origin) {
	w.seen = map[recordKey]struct{}{}
	servers := w.view.Servers(s, new(resolve.Match), o.ClusterSet, math.MaxInt)
	for _, srv := range servers {
		name := srv.Name.Text(w.origin)
		w.pass(recordKey{owner: w.origin, target: name}, answer.NS(w.origin, name, w.view.TTL))
	}
	for _, srv := range servers {
		svc := srv.Name.Service
		if srv.Addr.IsValid() && (svc == nil || w.shown(s, &o, *svc) == nil) {
			w.address(srv.Name.Text(w.origin), srv.Addr)
		}
	}
}

// shown returns a Service that has records in the zone, or nil.
func (w *walk) shown(s *cluster.Snapshot, o *resolve.Origin, k cluster.Key) *cluster.ServiceNode {
	if !w.view.Exposes(s, k.Namespace) {
		return nil
	}
	return w.view.VisibleService(s, o, k)
}

// name returns the name of a Service.
func (w *walk) name(svc *cluster.ServiceNode) string {
	name := new(resolve.Subset).NameOf(svc)
	return name.Text(w.origin)
}

func (w *walk) service(svc *cluster.ServiceNode) {
	w.seen = map[recordKey]struct{}{}
	switch svc.Service.Kind {
	case cluster.ExternalName:
		w.alias(svc)
	case cluster.Headless:
		weights := portWeights(svc)
		for _, slice := range svc.Slices {
			w.slice(svc, slice, weights)
		}
	default:
		w.clusterIP(svc)
	}
}

func (w *walk) alias(svc *cluster.ServiceNode) {
	owner := w.name(svc)
	m := resolve.Match{Kind: resolve.AtAlias, Service: svc}
	if target := m.Target(false); target != nil {
		w.pass(recordKey{owner: owner, target: target.String()}, answer.CNAME(owner, target.String(), w.view.TTL))
	}
}

// clusterIP yields the addresses of a Service, and SRV records for its ports: all of them
// at its own name, the named ones at their own names too. Without an address there is no
// SRV record.
func (w *walk) clusterIP(svc *cluster.ServiceNode) {
	name := w.name(svc)
	for _, a := range svc.Service.ClusterIPs {
		w.address(name, a)
	}
	if len(svc.Service.ClusterIPs) == 0 {
		return
	}
	for _, p := range svc.Service.Ports {
		w.srv(name, name, p.Number, ownWeight(svc, len(svc.Service.Ports)))
		if p.HasName() {
			named := resolve.Subset{Kind: resolve.ByPort, Ports: resolve.FilterOf(p)}
			_, count := named.Numbers(svc.Service.Ports, nil, 1)
			w.srv(resolve.FilterOf(p).NameBelow(name), name, p.Number, ownWeight(svc, count))
		}
	}
}

// ownWeight returns the weight of the SRV records to a Service itself. With addresses of
// both families it is the weight that a look-up answers with. With one address it is a
// hundred for any number of ports, as in stock CoreDNS: the shares are the same.
func ownWeight(n *cluster.ServiceNode, ports int) uint16 {
	if addrs := len(n.Service.ClusterIPs); addrs > 1 {
		return answer.Weight(addrs * ports)
	}
	return answer.Weight(1)
}

// portWeights returns the weights of the SRV records of a headless Service's ports. Stock
// CoreDNS divides a hundred among the endpoints of each slice. If all slices give the same
// result, that is the weight; otherwise it is the weight that a look-up answers with, which
// counts the endpoints of all slices.
func portWeights(n *cluster.ServiceNode) map[resolve.PortFilter]uint16 {
	counts, weights := map[resolve.PortFilter]int{}, map[resolve.PortFilter]uint16{}
	differ := map[resolve.PortFilter]bool{}
	for _, s := range n.Slices {
		if s.Endpoints.Len() == 0 {
			continue
		}
		own := answer.Weight(s.Endpoints.Len())
		for i, p := range s.Ports {
			f := resolve.FilterOf(p)
			twice := slices.ContainsFunc(s.Ports[:i], func(q cluster.Port) bool { return q.Name == p.Name && q.Protocol == p.Protocol })
			differ[f] = differ[f] || twice || counts[f] > 0 && own != weights[f]
			counts[f] += s.Endpoints.Len()
			weights[f] = own
		}
	}
	for f := range differ {
		if differ[f] {
			weights[f] = answer.Weight(counts[f])
		}
	}
	return weights
}

// slice yields the endpoints of a headless Service: their addresses at the Service's name
// and at their own names, and the named ports.
func (w *walk) slice(svc *cluster.ServiceNode, s *cluster.Slice, weights map[resolve.PortFilter]uint16) {
	name := w.name(svc)
	sub := resolve.Subset{PodNames: w.view.PodNames}
	for e := range s.Endpoints.All() {
		host := sub.EndpointName(svc, s, &e)
		target := host.Text(w.origin)
		w.address(name, e.Addr)
		w.address(target, e.Addr)
		for _, p := range s.Ports {
			if p.HasName() {
				w.srv(resolve.FilterOf(p).NameBelow(name), target, p.Number, weights[resolve.FilterOf(p)])
			}
		}
	}
}
