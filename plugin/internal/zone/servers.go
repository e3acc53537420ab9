package zone

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// server is a name of this DNS server with one of its addresses.
type server struct {
	name string
	addr netip.Addr
}

// nameservers adds the NS RRset of a zone and the addresses of its targets. In a
// reverse zone the targets are in the primary origin: only there do they exist.
func (b *builder) nameservers() {
	origin := b.origin
	if n, err := dnsname.Parse(origin); err == nil && n.IsReverse() {
		origin = b.view.primary()
	}
	seen := map[string]bool{}
	for _, s := range b.servers(origin) {
		if !seen[s.name] {
			seen[s.name] = true
			b.add(&dns.NS{Hdr: b.header(dns.TypeNS), Ns: s.name})
		}
		if s.addr.IsValid() {
			b.extra(b.address(s.name, s.addr))
		}
	}
}

// minServer is the size that a record of a name server has at least.
const minServer = recordHead + 2

// servers are as many name servers as there may be room for.
func (b *builder) servers(origin string) []server {
	limit := b.answer.free(b.owner, b.room) / minServer
	list := b.view.servers(b.snapshot, origin, limit+1)
	if len(list) > limit {
		b.answer.Truncated = true
	}
	return list
}

// servers are the Services that this server is an endpoint of, or ns.dns with
// its own addresses. A zone always has a name server, even one whose address is
// not known. No more are looked at than limit.
func (v *View) servers(s *cluster.Snapshot, origin string, limit int) []server {
	var list []server
	for _, local := range v.Local {
		for _, svc := range s.Hosted(local, limit) {
			list = v.serversOf(list, svc, local, origin, limit)
		}
	}
	if len(list) == 0 {
		for _, local := range v.Local {
			list = append(list, server{dnsname.Below(origin, "ns.dns"), local})
		}
	}
	if len(list) == 0 {
		list = []server{{name: dnsname.Below(origin, "ns.dns")}}
	}
	return unique(v.nameIn(origin, list))
}

// nameIn gives the servers the name that a zone of the cluster set has for them:
// Services of this cluster have no names there.
func (v *View) nameIn(origin string, list []server) []server {
	n, err := dnsname.Parse(origin)
	if err != nil {
		return list
	}
	if o, ok := v.Origin(&n); ok && o.ClusterSet {
		for i := range list {
			list[i].name = dnsname.Below(origin, "ns.dns")
		}
	}
	return list
}

// serversOf adds the names and addresses of a Service of which local is an endpoint:
// its ClusterIPs, or the endpoints of a headless one.
func (v *View) serversOf(list []server, svc *cluster.ServiceNode, local netip.Addr, origin string, limit int) []server {
	for _, slice := range svc.Slices {
		for range slice.WithAddr(local) {
			list = v.serversIn(list, svc, slice, origin, limit)
		}
	}
	return list
}

func (v *View) serversIn(list []server, svc *cluster.ServiceNode, slice *cluster.Slice, origin string, limit int) []server {
	name := serviceName(svc, origin)
	if svc.Service.Kind == cluster.Headless {
		for e := range slice.Endpoints.All() {
			if len(list) >= limit {
				return list
			}
			list = append(list, server{e.Label(v.PodNames) + "." + name, e.Addr})
		}
		return list
	}
	for _, a := range svc.Service.ClusterIPs {
		list = append(list, server{name, a})
	}
	return list
}

// name is the fully qualified name of a Service in an origin.
func serviceName(n *cluster.ServiceNode, origin string) string {
	return dnsname.Below(origin, n.Key.Name+"."+n.Key.Namespace+".svc")
}

func unique[T comparable](list []T) []T {
	seen := make(map[T]struct{}, len(list))
	return slices.DeleteFunc(list, func(item T) bool {
		_, dup := seen[item]
		seen[item] = struct{}{}
		return dup
	})
}
