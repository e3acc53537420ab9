package resolve

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// locateReverse does not look whether an address has a name.
func locateReverse(s *cluster.Snapshot, n *dnsname.Name) Match {
	prefix, ok := dnsname.ReversePrefix(n)
	switch {
	case !ok:
		return Match{Name: KindReverse}
	case prefix.IsSingleIP():
		return Match{Kind: AtAddress, Name: KindReverse, Addr: prefix.Addr()}
	case s.ClusterIPs().Covers(prefix) || s.EndpointAddrs().Covers(prefix):
		return Match{Kind: EmptyNonTerminal, Name: KindReverse}
	}
	return Match{Name: KindReverse}
}

// NamesOf appends the names of an address to a list, each once: that of the Service whose
// ClusterIP it is, else those of the endpoints that have it. In an external zone they are
// those of the Services that have it outside the cluster. Of more than limit it is chance
// which are found, and whole is false.
func (v *View) NamesOf(s *cluster.Snapshot, m *Match, limit int, list []HostName) (names []HostName, whole bool) {
	var buf [4]*cluster.ServiceNode
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
	sub := Subset{PodNames: v.PodNames}
	owners, whole := v.owners(s, s.EndpointAddrs(), m.Addr, limit, buf[:0])
	for _, svc := range owners {
		own := len(list) // names of two Services differ
		for _, slice := range svc.Slices {
			for e := range slice.WithAddr(m.Addr) {
				if len(list) > limit {
					return append(list[:own], Distinct(list[own:])...), false
				}
				list = append(list, sub.EndpointName(svc, slice, &e))
			}
		}
		list = append(list[:own], Distinct(list[own:])...)
	}
	return list, whole
}

// owners appends the Services with names that have an address, by namespace and name, so
// that answers do not depend on the shape of the tree. Of more than limit, it is chance
// which are found, and no more are looked at.
func (v *View) owners(s *cluster.Snapshot, in *cluster.AddrIndex, a netip.Addr, limit int, list []*cluster.ServiceNode) (_ []*cluster.ServiceNode, whole bool) {
	list = v.ownersFrom(s, in, a, 0, limit+1, list)
	if whole = len(list) <= limit; !whole {
		total := 0
		for range in.At(a) {
			total++
		}
		list = v.ownersFrom(s, in, a, rand.IntN(total), limit, list[:0])
	}
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b *cluster.ServiceNode) int { return a.Key.Compare(b.Key) })
	}
	return list, whole
}

// ownersFrom appends the Services of an address from one of them on, as many as most.
func (v *View) ownersFrom(
	s *cluster.Snapshot, in *cluster.AddrIndex, a netip.Addr, start, most int, list []*cluster.ServiceNode,
) []*cluster.ServiceNode {
	for _, part := range [2][2]int{{start, math.MaxInt}, {0, start}} {
		i := 0
		for k := range in.At(a) {
			if i >= part[1] || len(list) >= most {
				break
			}
			if i++; i > part[0] {
				list = v.addOwner(s, in, k, list)
			}
		}
		if start == 0 || len(list) >= most {
			break
		}
	}
	return list
}

// addOwner appends a Service whose addresses have names.
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

// Few is how many things are compared with each other, which takes no memory.
const Few = 16

// Distinct leaves out what is there already.
func Distinct[T comparable](list []T) []T {
	if len(list) > Few {
		return unique(list)
	}
	kept := list[:0]
	for _, item := range list {
		if !slices.Contains(kept, item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func unique[T comparable](list []T) []T {
	seen := make(map[T]struct{}, len(list))
	return slices.DeleteFunc(list, func(item T) bool {
		_, dup := seen[item]
		seen[item] = struct{}{}
		return dup
	})
}
