package resolve

import (
	"math"
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// locateReverse finds a name in a reverse tree. It does not check whether an address has a
// name.
func locateReverse(m *Match, s *cluster.Snapshot, n *dnsname.Name) {
	m.Name = KindReverse
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
	case prefix.IsSingleIP():
		m.Kind, m.Addr = AtAddress, prefix.Addr()
	case s.ClusterIPs().Covers(prefix) || s.EndpointAddrs().Covers(prefix):
		m.Kind = EmptyNonTerminal
	}
}

// NamesOf appends the names of the match's address to a list, without repetitions: the name
// of the Service whose ClusterIP it is, or otherwise the names of the endpoints that have
// it. In an external zone, it appends the names of the Services that have the address
// outside the cluster. If there are more than limit, whole is false and the choice is
// random.
func (v *View) NamesOf(s *cluster.Snapshot, m *Match, limit int, list []HostName) (names []HostName, whole bool) {
	var buf [16]*cluster.ServiceNode
	if m.Subset.Outside {
		owners, whole := v.owners(s, s.ExternalAddrs(), m.Addr, limit, buf[:0])
		for _, svc := range owners {
			list = append(list, m.Subset.NameOf(svc))
		}
		return list, whole
	}
	if virtual, _ := v.owners(s, s.ClusterIPs(), m.Addr, math.MaxInt-1, buf[:0]); len(virtual) > 0 {
		return append(list, m.Subset.NameOf(virtual[0])), true
	}
	owners, whole := v.owners(s, s.EndpointAddrs(), m.Addr, limit, buf[:0])
	list = slices.Grow(list, len(owners))
	for _, svc := range owners {
		own, fits := len(list), false // only names of one Service can be the same
		list, fits = v.endpointsAt(svc, m.Addr, limit, list)
		list = append(list[:own], cluster.Distinct(list[own:])...)
		if !fits {
			return list, false
		}
	}
	return list, whole
}

// endpointsAt appends the names of a Service's endpoints that have an address, as long as the list
// has no more than limit.
func (v *View) endpointsAt(svc *cluster.ServiceNode, a netip.Addr, limit int, list []HostName) (names []HostName, whole bool) {
	sub := Subset{PodNames: v.PodNames}
	for _, slice := range svc.Slices {
		for e := range slice.WithAddr(a) {
			if len(list) > limit {
				return list, false
			}
			list = append(list, sub.EndpointName(svc, slice, &e))
		}
	}
	return list, true
}

// owners appends the visible Services that have an address, up to limit of them. It sorts
// them by namespace and name, so that answers do not depend on the shape of the tree. If
// there are more, whole is false, the choice is random, and the rest are not looked at.
func (v *View) owners(s *cluster.Snapshot, in *cluster.AddrIndex, a netip.Addr, limit int, list []*cluster.ServiceNode) (_ []*cluster.ServiceNode, whole bool) {
	for k := range in.AtRandom(a) {
		if list = v.addOwner(s, in, k, list); len(list) > limit {
			list = list[:limit]
			return sortedByKey(list), false
		}
	}
	return sortedByKey(list), true
}

func sortedByKey(list []*cluster.ServiceNode) []*cluster.ServiceNode {
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b *cluster.ServiceNode) int { return a.Key.Compare(b.Key) })
	}
	return list
}

// addOwner appends a Service if its addresses have names in the view.
func (v *View) addOwner(s *cluster.Snapshot, in *cluster.AddrIndex, k *cluster.Key, list []*cluster.ServiceNode) []*cluster.ServiceNode {
	if !v.Exposes(s, k.Namespace) {
		return list
	}
	n := s.Service(*k)
	if n == nil || in != s.ExternalAddrs() && n.Service.Kind == cluster.ExternalName {
		return list
	}
	return append(list, n)
}
