package kube

import (
	"maps"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// These functions compare what DNS can see of two objects with the same key. A relist calls
// them for every object of the cluster, so they allocate nothing.

func sameService(a, b *cluster.Service) bool {
	return a.Key == b.Key &&
		a.Kind == b.Kind &&
		a.Target == b.Target &&
		slices.Equal(a.ClusterIPs, b.ClusterIPs) &&
		slices.Equal(a.Ports, b.Ports) &&
		slices.Equal(a.ExternalIPs, b.ExternalIPs) &&
		slices.Equal(a.ExternalHosts, b.ExternalHosts)
}

func sameSlice(a, b *cluster.Slice) bool {
	return a.Namespace == b.Namespace &&
		a.Name == b.Name &&
		a.Service == b.Service &&
		a.Cluster == b.Cluster &&
		slices.Equal(a.Ports, b.Ports) &&
		a.Endpoints.Equal(&b.Endpoints)
}

func samePod(a, b *cluster.Pod) bool {
	return a.Namespace == b.Namespace &&
		a.ID == b.ID &&
		a.UID == b.UID &&
		a.HostNetwork == b.HostNetwork &&
		a.SameAddrs(b) &&
		sameProfile(a.Profile, b.Profile)
}

func sameProfile(a, b *cluster.Profile) bool {
	return a == b ||
		a.Name == b.Name && maps.Equal(a.Labels, b.Labels) && sameResolver(a.Resolver, b.Resolver)
}

func sameResolver(a, b *cluster.Resolver) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Policy == b.Policy && a.Ndots == b.Ndots && slices.Equal(a.Searches, b.Searches)
}
