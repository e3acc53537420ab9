package cluster

import (
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// ChangedServices returns, sorted, the keys of the Services or the ServiceImports whose
// records may differ between two snapshots of one store: those that changed, and all in
// Namespaces that were added or removed.
func ChangedServices(before, after *Snapshot, imports bool) []Key {
	changed := map[Key]struct{}{}
	for k := range radix.Differing(before.in(imports), after.in(imports)) {
		changed[k] = struct{}{}
	}
	namespaces := map[string]struct{}{}
	for n := range radix.Differing(&before.namespaces, &after.namespaces) {
		namespaces[string(n)] = struct{}{}
	}
	if len(namespaces) > 0 {
		for k := range after.in(imports).All() {
			if _, ok := namespaces[k.Namespace]; ok {
				changed[k] = struct{}{}
			}
		}
	}
	return sortedKeys(changed)
}

func sortedKeys(set map[Key]struct{}) []Key {
	keys := make([]Key, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.Compare(&b) })
	return keys
}

// RetainedObjects returns how many Services, endpoints, Pod addresses and published names s has that a later
// snapshot of the same store does not have. It measures the memory that keeping s costs.
func (s *Snapshot) RetainedObjects(later *Snapshot) int {
	sum := 0
	for _, pair := range [][2]*radix.Tree[Key, *ServiceNode]{{&s.services, &later.services}, {&s.imports, &later.imports}} {
		for k := range radix.Differing(pair[0], pair[1]) {
			old, _ := pair[0].Get(k)
			now, _ := pair[1].Get(k)
			sum += old.retained(now)
		}
	}
	for range radix.DifferingAddrs(&s.pods, &later.pods) {
		sum++
	}
	for range radix.Differing(&s.published, &later.published) {
		sum++
	}
	return sum
}

// retained returns one for the node itself, plus the number of endpoints in slices that the
// later node does not share.
func (n *ServiceNode) retained(later *ServiceNode) int {
	sum := 1
	if n == nil {
		return sum
	}
	for _, slice := range n.Slices {
		if later == nil || !slices.Contains(later.Slices, slice) {
			sum += slice.Endpoints.Len()
		}
	}
	return sum
}
