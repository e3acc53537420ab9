package resolve

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Server is one name of this DNS server with one of its addresses. The address is invalid
// if it is not known.
type Server struct {
	Name HostName
	Addr netip.Addr
}

// Servers returns the names and addresses of this server: of the Services that have it as
// an endpoint or, if there are none, the name that the zone itself has for the server with
// its own addresses. A zone always has a name server, even if no address is known. In a
// zone of the cluster set the name is always the zone's own, because Services of this
// cluster have no names there. It looks at no more than limit Services.
func (v *View) Servers(s *cluster.Snapshot, m *Match, clusterSet bool, limit int) []Server {
	own := HostName{label: v.nameServer()}
	if m.Subset.Outside {
		list := serversAt(own, m.Servers)
		if v.SecondServer != "" && m.Kind == AtApex {
			list = append(list, serversAt(HostName{label: v.SecondServer}, m.Second)...)
		}
		return list
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
	return cluster.Distinct(list)
}

func serversAt(name HostName, addrs []netip.Addr) []Server {
	var list []Server
	for _, a := range addrs {
		list = append(list, Server{name, a})
	}
	if len(list) == 0 {
		return []Server{{Name: name}}
	}
	return cluster.Distinct(list)
}

// serversOf appends the names and addresses of a Service that has local as an endpoint: its
// ClusterIPs, or the endpoints of a headless Service.
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
