package cluster

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Snapshot is the state of a cluster at one moment. It never changes, so a reader may use
// it for as long as it likes.
type Snapshot struct {
	synced      bool
	namesSynced bool // the published names are whole
	serial      uint32
	asOf        int64 // of a restored snapshot: when it was true
	namespaces  radix.Tree[namespace, struct{}]
	services    radix.Tree[Key, *ServiceNode]
	imports     radix.Tree[Key, *ServiceNode] // ServiceImports and their slices
	clusterIPs  radix.AddrIndex[*Key]
	endpoints   radix.AddrIndex[*Key] // from the addresses of endpoints to their Services
	external    radix.AddrIndex[*Key] // from addresses outside the cluster to their Services
	pods        radix.AddrIndex[*Pod]
	published   radix.Tree[publishedName, PublishedNode]
	delegations int // number of published names outside that are zone cuts
}

// Synced reports whether the snapshot has a whole cluster. Nothing may be answered from a
// snapshot before that.
func (s *Snapshot) Synced() bool { return s.synced }

// NamesSynced reports whether the snapshot has all published names. That may take longer than the
// rest of the cluster.
func (s *Snapshot) NamesSynced() bool { return s.namesSynced }

// Serial returns the serial of the last checkpoint: the unix time of the checkpoint in
// seconds. It is 0 before the sync, and between the sync and the first checkpoint the
// lowest serial that the checkpoint can get.
func (s *Snapshot) Serial() uint32 { return s.serial }

// Counts holds the numbers of objects in a snapshot. Services includes Services of which
// only slices are known.
type Counts struct{ Namespaces, Services, Addresses, PodAddresses int }

// Counts counts the objects in the snapshot.
func (s *Snapshot) Counts() Counts {
	return Counts{
		Namespaces:   s.namespaces.Len(),
		Services:     s.services.Len(),
		Addresses:    s.clusterIPs.Len() + s.endpoints.Len(),
		PodAddresses: s.pods.Len(),
	}
}

// HeadlessWithoutSlices returns how many headless Services have no slice, not even one without
// endpoints. It visits every Service.
func (s *Snapshot) HeadlessWithoutSlices() int {
	count := 0
	for _, n := range s.services.All() {
		if n.Service != nil && n.Service.Kind == Headless && len(n.Slices) == 0 {
			count++
		}
	}
	return count
}

// HasNamespace reports whether a Namespace exists.
func (s *Snapshot) HasNamespace(name string) bool {
	_, ok := s.namespaces.Get(namespace(name))
	return ok
}

// Service returns the node of a Service that exists, or nil.
func (s *Snapshot) Service(k Key) *ServiceNode { return existing(&s.services, k) }

// Import returns the node of a ServiceImport that exists, or nil.
func (s *Snapshot) Import(k Key) *ServiceNode { return existing(&s.imports, k) }

func existing(in *radix.Tree[Key, *ServiceNode], k Key) *ServiceNode {
	n, _ := in.Get(k)
	if n == nil || n.Service == nil {
		return nil
	}
	return n
}

// AddrIndex finds the keys of Services by address.
type AddrIndex = radix.AddrIndex[*Key]

// ClusterIPs returns the index of the ClusterIPs.
func (s *Snapshot) ClusterIPs() *AddrIndex { return &s.clusterIPs }

// EndpointAddrs returns the index of the addresses of endpoints, including endpoints whose
// Service is not known.
func (s *Snapshot) EndpointAddrs() *AddrIndex { return &s.endpoints }

// ExternalAddrs returns the index of the addresses of Services outside the cluster.
func (s *Snapshot) ExternalAddrs() *AddrIndex { return &s.external }

// Knows reports whether the snapshot has a Service, or slices of it alone.
func (s *Snapshot) Knows(k Key) bool {
	_, known := s.services.Get(k)
	return known
}

// Keys returns the keys of all Services, or of all ServiceImports, sorted by namespace and
// name.
func (s *Snapshot) Keys(imports bool) []Key {
	keys := make([]Key, 0, s.in(imports).Len())
	for k := range s.in(imports).All() {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.Compare(&b) })
	return keys
}

func (s *Snapshot) in(imports bool) *radix.Tree[Key, *ServiceNode] {
	if imports {
		return &s.imports
	}
	return &s.services
}

// Hosted returns up to limit Services that have an endpoint with the address. It sorts them by
// namespace and name, so that answers do not depend on the shape of the tree. If there are more,
// the choice is random, and the rest are not looked at.
func (s *Snapshot) Hosted(a netip.Addr, limit int) []*ServiceNode {
	var nodes []*ServiceNode
	for k := range s.endpoints.AtRandom(a) {
		if len(nodes) >= limit {
			break
		}
		if n := s.Service(*k); n != nil {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *ServiceNode) int { return a.Key.Compare(b.Key) })
	return nodes
}

// Compare orders keys by namespace and name.
func (k *Key) Compare(other *Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, other.Namespace), cmp.Compare(k.Name, other.Name))
}

// WithAddr iterates over the endpoints of a slice that have the address. It is small enough
// for the compiler to inline, so that a loop over it allocates nothing; so is WithLabel.
func (s *Slice) WithAddr(a netip.Addr) iter.Seq[Endpoint] {
	return func(yield func(Endpoint) bool) { s.eachWithAddr(a, yield) }
}

func (s *Slice) eachWithAddr(a netip.Addr, yield func(Endpoint) bool) {
	for i := s.Endpoints.from(a); i < s.Endpoints.Len() && s.Endpoints.Addr(i) == a; i++ {
		if !yield(s.Endpoints.At(i)) {
			return
		}
	}
}

// WithLabel iterates over the indices of the endpoints of a slice that have the label.
func (s *Slice) WithLabel(label string, podNames bool) iter.Seq[int] {
	return func(yield func(int) bool) { s.eachWithLabel(label, podNames, yield) }
}

func (s *Slice) eachWithLabel(label string, podNames bool, yield func(int) bool) {
	i, _ := slices.BinarySearchFunc(s.named, label, func(i int32, label string) int {
		return cmp.Compare(s.nameAt(i), label)
	})
	for ; i < len(s.named) && s.nameAt(s.named[i]) == label; i++ {
		at := int(s.named[i])
		if e := s.Endpoints.At(at); e.is(label, podNames) && !yield(at) {
			return
		}
	}
	s.dashed(label, podNames, yield)
}

// dashed yields the endpoints whose label is made of their address.
func (s *Slice) dashed(label string, podNames bool, yield func(int) bool) {
	a, ok := dnsname.ParseDashed(label)
	if !ok {
		return
	}
	for i := s.Endpoints.from(a); i < s.Endpoints.Len() && s.Endpoints.Addr(i) == a; i++ {
		if e := s.Endpoints.At(i); e.OwnLabel() != label && e.is(label, podNames) && !yield(i) {
			return
		}
	}
}
