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
	reverse    radix.AddrIndex[*Key]
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
		Addresses:    s.reverse.Len(),
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

// owners are the Services that an address belongs to, by namespace and name, so
// that answers do not depend on the shape of the tree.
func (s *Snapshot) owners(a netip.Addr) []*serviceNode { return s.servicesAt(&s.reverse, a) }

func (s *Snapshot) servicesAt(in *radix.AddrIndex[*Key], a netip.Addr) []*serviceNode {
	var nodes []*serviceNode
	for k := range in.At(a) {
		if n := s.service(*k); n != nil {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *serviceNode) int { return a.key.compare(b.key) })
	return nodes
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

// labelled iterates over the endpoints of a slice that have the label.
func (s *Slice) labelled(label string, podNames bool) func(yield func(Endpoint) bool) {
	return func(yield func(Endpoint) bool) {
		i, _ := slices.BinarySearchFunc(s.named, label, func(i int32, label string) int {
			return cmp.Compare(s.nameAt(i), label)
		})
		for ; i < len(s.named) && s.nameAt(s.named[i]) == label; i++ {
			e := s.Endpoints.At(int(s.named[i]))
			if e.is(label, podNames) && !yield(e) {
				return
			}
		}
		s.dashed(label, podNames, yield)
	}
}

// dashed passes on the endpoints that are known by their address.
func (s *Slice) dashed(label string, podNames bool, yield func(Endpoint) bool) {
	a, ok := dnsname.ParseDashed(label)
	if !ok {
		return
	}
	for e := range s.at(a) {
		if e.ownLabel() != label && e.is(label, podNames) && !yield(e) {
			return
		}
	}
}
