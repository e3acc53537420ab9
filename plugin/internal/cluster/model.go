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

// Service is a Kubernetes Service as DNS sees it. It must not change after it was passed to
// a transaction.
type Service struct {
	Key
	Kind          Kind
	ClusterIPs    []netip.Addr // of a ClusterIP Service, both families
	Ports         []Port
	Target        string       // of an ExternalName Service: a fully qualified name
	ExternalIPs   []netip.Addr // spec.externalIPs and the addresses of the load balancer
	ExternalHosts []string     // the hostnames of the load balancer
}

// Slice is an EndpointSlice as DNS sees it: its ready endpoints. NewSlice makes it, and it
// must not change afterwards.
type Slice struct {
	Namespace string
	Name      string
	Service   string // name of the Service that the slice belongs to
	Cluster   string // of an imported slice: the cluster that exports it
	Ports     []Port // empty if the slice declares none
	Endpoints Endpoints
	named     []int32   // indices of the endpoints that have a hostname or a Pod, sorted by that name
	zones     *[]string // the topology zones of the endpoints, without repetitions; nil for none
}

// TopologyZones returns the topology zones of the endpoints, without repetitions.
func (s *Slice) TopologyZones() []string {
	if s.zones == nil {
		return nil
	}
	return *s.zones
}

// NewSlice returns a copy of s with an index of the endpoints' names, so that the cost of a
// look-up does not depend on the size of the slice.
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

// nameAt returns the hostname or Pod name of the i-th endpoint.
func (s *Slice) nameAt(i int32) string { return s.Endpoints.identities[i].ownLabel() }

// Key returns the key of the Service that the slice belongs to.
func (s *Slice) Key() Key { return Key{s.Namespace, s.Service} }

// OwnLabel returns the hostname of an endpoint or else the name of its Pod, which only
// views with Pod names use as a label. It returns "" if the endpoint has neither.
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

// HasExternal reports whether the Service itself has an address or a hostname outside the
// cluster. These take precedence over its endpoints.
func (s *Service) HasExternal() bool { return len(s.ExternalIPs)+len(s.ExternalHosts) > 0 }

// HasName reports whether DNS has a name for the port below the name of its Service. The
// underscore counts as a character of the label (RFC 1035 2.3.4), and EndpointSlices allow
// port names that leave no room for it.
func (p Port) HasName() bool { return p.Name != "" && len(p.Name) < maxPodLabel }
