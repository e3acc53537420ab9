package zone

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

// Endpoint is one ready address of a slice.
type Endpoint struct {
	Addr netip.Addr
	// Identity is nil for an endpoint that is known by its address alone;
	// equal identities of a slice may be shared.
	Identity *Identity
}

// Identity is what Kubernetes says of an endpoint besides its address.
type Identity struct {
	Hostname     string // the endpoint's DNS label, if it asks for one
	Pod          string // name of the Pod behind it
	TopologyZone string // lower case
}

// Slice is an EndpointSlice as DNS sees it: its ready endpoints. It is made by
// NewSlice and never changed afterwards.
type Slice struct {
	Namespace string
	Name      string
	Service   string // name of the Service that it belongs to
	Cluster   string // of an imported slice: the cluster that exported it
	Ports     []Port // empty if the slice declares none
	Endpoints []Endpoint
	named     []int32 // indices of the endpoints with a label of their own, by that label
}

// NewSlice sorts the endpoints of s by address and indexes their names, so that
// a look-up does not depend on the size of the slice.
func NewSlice(s Slice) *Slice {
	slices.SortStableFunc(s.Endpoints, func(a, b Endpoint) int { return a.Addr.Compare(b.Addr) })
	s.named = nil
	for i := range s.Endpoints {
		if s.Endpoints[i].ownLabel() != "" {
			s.named = append(s.named, int32(i))
		}
	}
	slices.SortStableFunc(s.named, func(a, b int32) int {
		return cmp.Compare(s.Endpoints[a].ownLabel(), s.Endpoints[b].ownLabel())
	})
	return &s
}

// Key returns the key of the Service that the slice belongs to.
func (s *Slice) Key() Key { return Key{s.Namespace, s.Service} }

// ownLabel is the label that an endpoint has for itself: its hostname, or the
// name of its Pod, which counts only for views that ask for it.
func (e *Endpoint) ownLabel() string {
	if e.Identity == nil {
		return ""
	}
	if e.Identity.Hostname != "" {
		return strings.ToLower(e.Identity.Hostname)
	}
	return e.Identity.Pod
}
