package cluster

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Kind says how a Service is published in DNS.
type Kind uint8

// The kinds of Service (Kubernetes DNS specification 1.1.0, sections 2.3 to 2.5).
const (
	ClusterIP Kind = iota
	Headless
	ExternalName
)

// Key names a Service within the cluster.
type Key struct {
	Namespace string
	Name      string
}

// Port is a port of a Service or of the endpoints of a slice.
type Port struct {
	Name     string // lower case; empty for an unnamed port
	Protocol string // lower case: tcp, udp or sctp
	Number   uint16
}

// Service is a Kubernetes Service as DNS sees it. It is never changed once a
// transaction has been given it.
type Service struct {
	Key
	Kind          Kind
	ClusterIPs    []netip.Addr // of a ClusterIP Service, both families
	Ports         []Port
	Target        string       // of an ExternalName Service: a fully qualified name
	ExternalIPs   []netip.Addr // spec.externalIPs and the load balancer's addresses
	ExternalHosts []string     // the load balancer's hostnames
}

// Slice is an EndpointSlice as DNS sees it: its ready endpoints. It is made by
// NewSlice and never changed afterwards.
type Slice struct {
	Namespace string
	Name      string
	Service   string // name of the Service that it belongs to
	Cluster   string // of an imported slice: the cluster that exported it
	Ports     []Port // empty if the slice declares none
	Endpoints Endpoints
	named     []int32   // indices of the endpoints with a label of their own, by that label
	zones     *[]string // of topology, of its endpoints, each once; nil for none
}

// TopologyZones returns those of the endpoints, each once.
func (s *Slice) TopologyZones() []string {
	if s.zones == nil {
		return nil
	}
	return *s.zones
}

// NewSlice indexes the names of the endpoints, so that a look-up does not depend on
// the size of the slice.
func NewSlice(s Slice) *Slice {
	s.named, s.zones = nil, nil
	var zones []string
	for i, id := range s.Endpoints.identities {
		if id.ownLabel() != "" {
			s.named = append(s.named, int32(i))
		}
		if id != nil && id.TopologyZone != "" && !slices.Contains(zones, id.TopologyZone) {
			zones = append(zones, id.TopologyZone)
		}
	}
	if zones != nil {
		s.zones = &zones
	}
	slices.SortStableFunc(s.named, func(a, b int32) int {
		return cmp.Compare(s.nameAt(a), s.nameAt(b))
	})
	return &s
}

// nameAt is the label of its own that the i-th endpoint has.
func (s *Slice) nameAt(i int32) string { return s.Endpoints.identities[i].ownLabel() }

// Key returns the key of the Service that the slice belongs to.
func (s *Slice) Key() Key { return Key{s.Namespace, s.Service} }

// OwnLabel is the label that an endpoint has for itself: its hostname, or the
// name of its Pod, which counts only for views that ask for it.
func (e *Endpoint) OwnLabel() string { return e.Identity.ownLabel() }

func (id *Identity) ownLabel() string {
	if id == nil {
		return ""
	}
	if id.Hostname != "" {
		return strings.ToLower(id.Hostname)
	}
	return id.Pod
}

// HasExternal reports whether the Service has a place outside the cluster. What it
// says of itself comes before its endpoints.
func (s *Service) HasExternal() bool { return len(s.ExternalIPs)+len(s.ExternalHosts) > 0 }

// HasName reports whether a port has a name below its Service's. The name of an
// EndpointSlice's port may be as long as a label (RFC 1035 2.3.4), without the
// underscore.
func (p Port) HasName() bool { return p.Name != "" && len(p.Name) < maxPodLabel }
