package cluster

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// ServiceNode is what a snapshot knows of one Service: the Service itself, which
// may come after its slices, and the slices. It is one version of the Service.
type ServiceNode struct {
	Key     *Key // shared by all versions of the node; what the reverse index points to
	Service *Service
	Slices  []*Slice // by name
	cache   atomic.Value
}

// Cached is what a reader made of one version of a Service, for others to use.
type Cached interface {
	// Bytes returns how much of the heap it takes.
	Bytes() int
}

// Cached returns what was given to Cache, or nil.
func (n *ServiceNode) Cached() Cached {
	c, _ := n.cache.Load().(Cached)
	return c
}

// Cache keeps what a reader made of the node for as long as the node is there, and
// returns it, or what another reader was faster to make. It is of one type for all
// readers.
func (n *ServiceNode) Cache(c Cached) Cached {
	if n.cache.CompareAndSwap(nil, c) {
		return c
	}
	return n.Cached()
}

// HasReadyEndpoints reports whether any endpoint is ready.
func (n *ServiceNode) HasReadyEndpoints() bool {
	for _, slice := range n.Slices {
		if slice.Endpoints.Len() > 0 {
			return true
		}
	}
	return false
}

// Exported returns the part of an import that comes from a cluster. Identifiers of
// clusters are compared as names are; the empty one is that of slices which do
// not tell their cluster.
func (n *ServiceNode) Exported(cluster string) *ServiceNode {
	part := &ServiceNode{Key: n.Key, Service: n.Service}
	for _, slice := range n.Slices {
		if strings.ToLower(slice.Cluster) == cluster {
			part.Slices = append(part.Slices, slice)
		}
	}
	return part
}

// HasEndpointAt reports whether an endpoint of the Service has the address.
func (n *ServiceNode) HasEndpointAt(a netip.Addr) bool {
	return slices.ContainsFunc(n.Slices, func(s *Slice) bool {
		for range s.WithAddr(a) {
			return true
		}
		return false
	})
}

// HasLabel reports whether an endpoint of the Service has the label.
func (n *ServiceNode) HasLabel(label string, podNames bool) bool {
	for _, slice := range n.Slices {
		for range slice.WithLabel(label, podNames) {
			return true
		}
	}
	return false
}

// HasPort reports whether the Service, or a slice of a headless one that has
// endpoints, has a port like this.
func (n *ServiceNode) HasPort(like func(Port) bool) bool {
	if n.Service.Kind != Headless {
		return slices.ContainsFunc(n.Service.Ports, like)
	}
	for _, slice := range n.Slices {
		if slice.Endpoints.Len() > 0 && slices.ContainsFunc(slice.Ports, like) {
			return true
		}
	}
	return false
}

// HasProtocol reports whether a named port has the protocol.
func (n *ServiceNode) HasProtocol(protocol string) bool {
	return n.HasPort(func(p Port) bool { return p.Name != "" && p.Protocol == protocol })
}
