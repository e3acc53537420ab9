package cluster

import (
	"maps"
	"slices"
)

// The methods Same compare what DNS can see of two objects with the same key. A relist calls them for
// every object of the cluster, so they allocate nothing.

// Same reports whether DNS sees no difference between two Services.
func (s *Service) Same(other *Service) bool {
	return s.Key == other.Key &&
		s.Kind == other.Kind &&
		s.Target == other.Target &&
		slices.Equal(s.ClusterIPs, other.ClusterIPs) &&
		slices.Equal(s.Ports, other.Ports) &&
		slices.Equal(s.ExternalIPs, other.ExternalIPs) &&
		slices.Equal(s.ExternalHosts, other.ExternalHosts)
}

// Same reports whether DNS sees no difference between two slices.
func (s *Slice) Same(other *Slice) bool {
	return s.Namespace == other.Namespace &&
		s.Name == other.Name &&
		s.Service == other.Service &&
		s.Cluster == other.Cluster &&
		slices.Equal(s.Ports, other.Ports) &&
		s.Endpoints.same(&other.Endpoints)
}

// Same reports whether DNS sees no difference between two Pods.
func (p *Pod) Same(other *Pod) bool {
	return p.Namespace == other.Namespace &&
		p.ID == other.ID &&
		p.UID == other.UID &&
		p.HostNetwork == other.HostNetwork &&
		p.sameAddrs(other) &&
		sameProfile(p.Profile, other.Profile)
}

func sameProfile(a, b *Profile) bool {
	return a == b ||
		a.Name == b.Name && maps.Equal(a.Labels, b.Labels) && sameResolver(a.Resolver, b.Resolver)
}

func sameResolver(a, b *Resolver) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Policy == b.Policy && a.Ndots == b.Ndots && slices.Equal(a.Searches, b.Searches)
}
