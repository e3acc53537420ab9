package resolve

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Server is a name of this DNS server with one of its addresses, which is invalid where
// none is known.
type Server struct {
	Name HostName
	Addr netip.Addr
}

// Servers returns the Services that this server is an endpoint of, or the zone's own name
// for it with its own addresses. A zone always has a name server, even one whose address
// is not known. Services of this cluster have no names in a zone of the cluster set. No
// more are looked at than limit.
func (v *View) Servers(s *cluster.Snapshot, m *Match, clusterSet bool, limit int) []Server {
	own := HostName{label: v.nameServer()}
	if m.Subset.Outside {
		return serversAt(own, m.Servers)
	}
	var list []Server
	for _, local := range v.Local {
		for _, svc := range s.Hosted(local, limit) {
			list = v.serversOf(list, svc, local, limit)
		}
	}
	if len(list) == 0 {
		return serversAt(own, v.Local)
	}
	for i := range list {
		if clusterSet {
			list[i].Name = own
		}
	}
	return Distinct(list)
}

func serversAt(name HostName, addrs []netip.Addr) []Server {
	var list []Server
	for _, a := range addrs {
		list = append(list, Server{name, a})
	}
	if len(list) == 0 {
		return []Server{{Name: name}}
	}
	return Distinct(list)
}

// serversOf adds the names and addresses of a Service of which local is an endpoint:
// its ClusterIPs, or the endpoints of a headless one.
func (v *View) serversOf(list []Server, svc *cluster.ServiceNode, local netip.Addr, limit int) []Server {
	for _, slice := range svc.Slices {
		for range slice.WithAddr(local) {
			list = v.serversIn(list, svc, slice, limit)
		}
	}
	return list
}

func (v *View) serversIn(list []Server, svc *cluster.ServiceNode, slice *cluster.Slice, limit int) []Server {
	sub := Subset{PodNames: v.PodNames}
	if svc.Service.Kind == cluster.Headless {
		for e := range slice.Endpoints.All() {
			if len(list) >= limit {
				return list
			}
			list = append(list, Server{sub.EndpointName(svc, slice, &e), e.Addr})
		}
		return list
	}
	for _, a := range svc.Service.ClusterIPs {
		list = append(list, Server{sub.NameOf(svc), a})
	}
	return list
}
