package answer

import (
	"iter"
	"math"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Zones are the zones of a view, as secondaries are to have them.
type Zones struct{ *resolve.View }

// SOA returns the SOA record of an origin in a snapshot.
func (z Zones) SOA(s *cluster.Snapshot, o resolve.Origin) dns.RR { return soaOf(z.View, s, o) }

// Transfer iterates over what a secondary is to have of an origin, each record
// once and in an order that depends on the data alone: the name servers with their
// addresses, then the Services by namespace and name. The SOA records around it
// (RFC 5936 2.2) are the caller's.
//
// A secondary serves less than we do: names that are made from the question, such
// as those of Pods, and endpoints of a Service with a ClusterIP are not data.
func (z Zones) Transfer(s *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	return func(yield func(dns.RR) bool) { z.transfer(s, o, s.Keys(o.ClusterSet), yield) }
}

// Difference compares the records of an origin, in the order of a transfer. The
// snapshots must be of one store: what they share is not looked at.
func (z Zones) Difference(before, after *cluster.Snapshot, o resolve.Origin) Difference {
	return difference(z.transfer, before, after, o)
}

// transfer passes on the name servers and some of the Services.
func (z Zones) transfer(s *cluster.Snapshot, o resolve.Origin, keys []cluster.Key, yield func(dns.RR) bool) {
	r := recordEmitter{view: z.View, origin: o.String(), yield: yield}
	r.nameservers(s, o)
	for _, k := range keys {
		if r.ended {
			return
		}
		if svc := z.VisibleService(s, &o, k); svc != nil && z.Exposes(s, k.Namespace) {
			r.service(svc)
		}
	}
}

// recordEmitter passes on the records of one zone, each once.
type recordEmitter struct {
	view   *resolve.View
	origin string
	yield  func(dns.RR) bool
	ended  bool                   // nobody wants more
	seen   map[recordKey]struct{} // of the part that has records in common
}

// recordKey tells records apart.
type recordKey struct {
	owner, target string
	port          uint16
	addr          netip.Addr
}

// pass passes a record on, unless it is there already or one of its names is too
// long for a message: it would cost the whole transfer.
func (r *recordEmitter) pass(k recordKey, rr dns.RR) {
	if _, dup := r.seen[k]; dup || r.ended || unsendable(k.owner) || unsendable(k.target) {
		return
	}
	r.seen[k] = struct{}{}
	r.ended = !r.yield(rr)
}

func (r *recordEmitter) address(owner string, a netip.Addr) {
	r.pass(recordKey{owner: owner, addr: a}, addressOf(owner, a, r.view.TTL))
}

func (r *recordEmitter) srv(owner, target string, port, weight uint16) {
	rr := &dns.SRV{Hdr: header(owner, dns.TypeSRV, r.view.TTL), Weight: weight, Port: port, Target: target}
	r.pass(recordKey{owner: owner, target: target, port: port}, rr)
}

// nameservers passes on the NS RRset and the addresses of its targets. Those that
// a Service brings are left to it; that of a Namespace which is not shown brings
// none, but a zone whose name servers have no address is of no use.
func (r *recordEmitter) nameservers(s *cluster.Snapshot, o resolve.Origin) {
	r.seen = map[recordKey]struct{}{}
	servers := r.view.Servers(s, new(resolve.Match), o.ClusterSet, math.MaxInt)
	for _, srv := range servers {
		name := srv.Name.Text(r.origin)
		rr := &dns.NS{Hdr: header(r.origin, dns.TypeNS, r.view.TTL), Ns: name}
		r.pass(recordKey{owner: r.origin, target: name}, rr)
	}
	for _, srv := range servers {
		if name := srv.Name.Text(r.origin); srv.Addr.IsValid() && !r.transfers(s, o, name) {
			r.address(name, srv.Addr)
		}
	}
}

// transfers reports whether a name server's name is one that a Service brings.
func (r *recordEmitter) transfers(s *cluster.Snapshot, o resolve.Origin, name string) bool {
	n, err := dnsname.Parse(name)
	if err != nil {
		return false
	}
	m := r.view.Locate(s, &n, &o)
	return m.Kind == resolve.AtClusterIP || m.Kind == resolve.AtEndpoints
}

// name is the name of a Service.
func (r *recordEmitter) name(svc *cluster.ServiceNode) string {
	name := new(resolve.Subset).NameOf(svc)
	return name.Text(r.origin)
}

func (r *recordEmitter) service(svc *cluster.ServiceNode) {
	r.seen = map[recordKey]struct{}{}
	switch svc.Service.Kind {
	case cluster.ExternalName:
		r.alias(svc)
	case cluster.Headless:
		weights := portWeights(svc)
		for _, slice := range svc.Slices {
			r.slice(svc, slice, weights)
		}
	default:
		r.clusterIP(svc)
	}
}

func (r *recordEmitter) alias(svc *cluster.ServiceNode) {
	owner := r.name(svc)
	m := resolve.Match{Kind: resolve.AtAlias, Service: svc}
	if target := m.Target(false); target != nil {
		rr := &dns.CNAME{Hdr: header(owner, dns.TypeCNAME, r.view.TTL), Target: target.String()}
		r.pass(recordKey{owner: owner, target: target.String()}, rr)
	}
}

// clusterIP passes on the addresses of a Service, its ports at its own name, and
// the named ones at their names too. Without an address there is nothing to lead to.
func (r *recordEmitter) clusterIP(svc *cluster.ServiceNode) {
	name := r.name(svc)
	for _, a := range svc.Service.ClusterIPs {
		r.address(name, a)
	}
	if len(svc.Service.ClusterIPs) == 0 {
		return
	}
	for _, p := range svc.Service.Ports {
		r.srv(name, name, p.Number, ownWeight(svc, len(svc.Service.Ports)))
		if p.HasName() {
			named := resolve.Subset{Kind: resolve.ByPort, Ports: resolve.PortFilter{Name: p.Name, Protocol: p.Protocol}}
			_, count := named.Numbers(svc.Service.Ports, nil)
			r.srv(portName(p, name), name, p.Number, ownWeight(svc, count))
		}
	}
}

// ownWeight is the weight of the SRV records that lead to a Service itself. With addresses
// of both families it is the one that a look-up answers with. With one address it stays a
// hundred, as from stock CoreDNS, whatever the number of ports: the share is the same.
func ownWeight(n *cluster.ServiceNode, ports int) uint16 {
	if addrs := len(n.Service.ClusterIPs); addrs > 1 {
		return weightOf(addrs * ports)
	}
	return weightOf(1)
}

// portWeights are the weights of the SRV records of the ports of a headless Service. Stock
// CoreDNS shares a hundred among the endpoints of each slice. Where all slices come to
// the same, so that each endpoint has its share, the weight is that; else it is the one
// that a look-up answers with, which counts the endpoints of all slices.
func portWeights(n *cluster.ServiceNode) map[resolve.PortFilter]uint16 {
	counts, weights := map[resolve.PortFilter]int{}, map[resolve.PortFilter]uint16{}
	differ := map[resolve.PortFilter]bool{}
	for _, s := range n.Slices {
		if s.Endpoints.Len() == 0 {
			continue
		}
		own := weightOf(s.Endpoints.Len())
		for i, p := range s.Ports {
			f := resolve.PortFilter{Name: p.Name, Protocol: p.Protocol}
			twice := slices.ContainsFunc(s.Ports[:i], func(q cluster.Port) bool { return q.Name == p.Name && q.Protocol == p.Protocol })
			differ[f] = differ[f] || twice || counts[f] > 0 && own != weights[f]
			counts[f] += s.Endpoints.Len()
			weights[f] = own
		}
	}
	for f := range differ {
		if differ[f] {
			weights[f] = weightOf(counts[f])
		}
	}
	return weights
}

// slice passes on the endpoints of a headless Service: their addresses at the
// Service's name and at their own, and the named ports.
func (r *recordEmitter) slice(svc *cluster.ServiceNode, s *cluster.Slice, weights map[resolve.PortFilter]uint16) {
	name := r.name(svc)
	sub := resolve.Subset{PodNames: r.view.PodNames}
	for e := range s.Endpoints.All() {
		host := sub.EndpointName(svc, s, &e)
		target := host.Text(r.origin)
		r.address(name, e.Addr)
		r.address(target, e.Addr)
		for _, p := range s.Ports {
			if p.HasName() {
				r.srv(portName(p, name), target, p.Number, weights[resolve.PortFilter{Name: p.Name, Protocol: p.Protocol}])
			}
		}
	}
}

// below is the name of a named port below its Service's (RFC 2782).
func portName(p cluster.Port, service string) string {
	return "_" + p.Name + "._" + p.Protocol + "." + service
}
