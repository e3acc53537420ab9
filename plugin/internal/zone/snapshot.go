package zone

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Snapshot is the state of a cluster at one moment. It never changes, so a
// reader may use it for as long as it likes.
type Snapshot struct {
	synced     bool
	serial     uint32
	namespaces radix.Tree[namespace, struct{}]
	services   radix.Tree[Key, *serviceNode]
	imports    radix.Tree[Key, *serviceNode] // ServiceImports and their slices
	clusterIPs radix.AddrIndex[*Key]
	endpoints  radix.AddrIndex[*Key] // of Services by the addresses of their slices
	external   radix.AddrIndex[*Key] // addresses that Services have outside the cluster
	pods       radix.AddrIndex[*Pod]
}

// serviceNode is what a snapshot knows of one Service: the Service itself, which
// may come after its slices, and the slices.
type serviceNode struct {
	key     *Key // shared by all versions of the node; what the reverse index points to
	service *Service
	slices  []*Slice // by name
	kept    keptAnswers
}

// Synced says whether the snapshot holds a whole cluster. Before that, nothing
// may be answered from it.
func (s *Snapshot) Synced() bool { return s.synced }

// Serial is the serial of the last checkpoint: the unix time at which it was
// made. Before the first it is what that will be at the earliest, and before the
// sync 0.
func (s *Snapshot) Serial() uint32 { return s.serial }

// Counts is the number of objects in a snapshot. Services counts those too that
// are known by their slices alone.
type Counts struct{ Namespaces, Services, Addresses, PodAddresses int }

// Counts counts what the snapshot holds.
func (s *Snapshot) Counts() Counts {
	return Counts{
		Namespaces:   s.namespaces.Len(),
		Services:     s.services.Len(),
		Addresses:    s.clusterIPs.Len() + s.endpoints.Len(),
		PodAddresses: s.pods.Len(),
	}
}

func (s *Snapshot) hasNamespace(name string) bool {
	_, ok := s.namespaces.Get(namespace(name))
	return ok
}

// service is the node of a Service that exists, or nil.
func (s *Snapshot) service(k Key) *serviceNode { return existing(&s.services, k) }

// imported is the node of a ServiceImport that exists, or nil.
func (s *Snapshot) imported(k Key) *serviceNode { return existing(&s.imports, k) }

func existing(in *radix.Tree[Key, *serviceNode], k Key) *serviceNode {
	n, _ := in.Get(k)
	if n == nil || n.service == nil {
		return nil
	}
	return n
}

// hosted are the Services that have an endpoint with the address, or limit of them.
func (s *Snapshot) hosted(a netip.Addr, limit int) []*serviceNode {
	nodes, _ := s.servicesAt(&s.endpoints, a, limit, func(*serviceNode) bool { return true })
	return nodes
}

// servicesAt are the Services of an address that are wanted, by namespace and name, so
// that answers do not depend on the shape of the tree. Of more than limit, it is chance
// which are found, and no more are looked at.
func (s *Snapshot) servicesAt(in *radix.AddrIndex[*Key], a netip.Addr, limit int, wanted func(*serviceNode) bool) (nodes []*serviceNode, whole bool) {
	total, start := 0, 0
	for range in.At(a) {
		total++
	}
	if total > limit {
		start = int(below32(nil, uint32(total)))
	}
	i := 0
	add := func(from, to int) {
		i = 0
		for k := range in.At(a) {
			if i >= from && i < to {
				if n := s.service(*k); n != nil && wanted(n) {
					nodes = append(nodes, n)
				}
			}
			if i++; i >= to || len(nodes) > limit {
				return
			}
		}
	}
	if add(start, total); len(nodes) <= limit {
		add(0, start)
	}
	if whole = len(nodes) <= limit; !whole {
		nodes = nodes[:limit]
	}
	slices.SortFunc(nodes, func(a, b *serviceNode) int { return a.key.compare(b.key) })
	return nodes, whole
}

func (k *Key) compare(other *Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, other.Namespace), cmp.Compare(k.Name, other.Name))
}

// at iterates over the endpoints of a slice that have the address.
func (s *Slice) at(a netip.Addr) func(yield func(Endpoint) bool) {
	return func(yield func(Endpoint) bool) {
		for i := s.Endpoints.from(a); i < s.Endpoints.Len() && s.Endpoints.addr(i) == a; i++ {
			if !yield(s.Endpoints.At(i)) {
				return
			}
		}
	}
}

// labelled iterates over the endpoints of a slice that have the label, by their index.
func (s *Slice) labelled(label string, podNames bool) func(yield func(int) bool) {
	return func(yield func(int) bool) {
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
}

// dashed passes on the endpoints that are known by their address.
func (s *Slice) dashed(label string, podNames bool, yield func(int) bool) {
	a, ok := dnsname.ParseDashed(label)
	if !ok {
		return
	}
	for i := s.Endpoints.from(a); i < s.Endpoints.Len() && s.Endpoints.addr(i) == a; i++ {
		if e := s.Endpoints.At(i); e.ownLabel() != label && e.is(label, podNames) && !yield(i) {
			return
		}
	}
}
