package cluster

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// ServiceNode is one version of a Service with its slices. Service is nil while only slices
// are known, because they may arrive before their Service.
type ServiceNode struct {
	Key     *Key // shared by all versions of the node; the reverse indices point to it
	Service *Service
	Slices  []*Slice // sorted by name
	cache   atomic.Value
}

// Cached is a value that a reader derives from one version of a Service and shares with
// other readers.
type Cached interface {
	// Bytes returns how many bytes of the heap the value takes.
	Bytes() int
}

// Cached returns the value that Cache stored, or nil.
func (n *ServiceNode) Cached() Cached {
	c, _ := n.cache.Load().(Cached)
	return c
}

// Cache stores a derived value for the lifetime of the node, unless another reader has
// already stored one, and returns the stored value. All readers must use the same type.
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

// hasEndpointAt reports whether an endpoint of the Service has the address.
func (n *ServiceNode) hasEndpointAt(a netip.Addr) bool {
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

// HasPort reports whether like accepts a port of the Service. For a headless Service, it
// asks about the ports of the slices that have endpoints.
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

// HasProtocol reports whether the Service has a named port with the protocol.
func (n *ServiceNode) HasProtocol(protocol string) bool {
	return n.HasPort(func(p Port) bool { return p.Name != "" && p.Protocol == protocol })
}
