package zone

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Difference is what makes the records of an origin in one snapshot those in
// another. No record is in both lists.
type Difference struct{ Removed, Added []dns.RR }

// Difference compares the records of an origin, in the order of a transfer. The
// snapshots must be of one store: what they share is not looked at.
func (v *View) Difference(before, after *Snapshot, o Origin) Difference {
	return difference(v.transfer, before, after, o)
}

// difference compares what a transfer of the name servers and of the Services that
// changed passes on.
func difference(
	transfer func(s *Snapshot, o Origin, keys []Key, yield func(dns.RR) bool),
	before, after *Snapshot, o Origin,
) Difference {
	keys := changedServices(before, after, o)
	some := func(s *Snapshot) []dns.RR {
		return slices.Collect(func(yield func(dns.RR) bool) { transfer(s, o, keys, yield) })
	}
	was, is := some(before), some(after)
	return Difference{Removed: without(was, is), Added: without(is, was)}
}

// without are the records that are in a but not in b.
func without(a, b []dns.RR) []dns.RR {
	there := make(map[string]struct{}, len(b))
	for _, rr := range b {
		there[rr.String()] = struct{}{}
	}
	var rest []dns.RR
	for _, rr := range a {
		if _, ok := there[rr.String()]; !ok {
			rest = append(rest, rr)
		}
	}
	return rest
}

// changedServices are the Services of an origin whose records may differ, by
// namespace and name: those that changed, and all in Namespaces that came or went.
func changedServices(before, after *Snapshot, o Origin) []Key {
	changed := map[Key]struct{}{}
	for k := range radix.Differing(before.in(o), after.in(o)) {
		changed[k] = struct{}{}
	}
	namespaces := map[string]struct{}{}
	for n := range radix.Differing(&before.namespaces, &after.namespaces) {
		namespaces[string(n)] = struct{}{}
	}
	if len(namespaces) > 0 {
		for k := range after.in(o).All() {
			if _, ok := namespaces[k.Namespace]; ok {
				changed[k] = struct{}{}
			}
		}
	}
	keys := make([]Key, 0, len(changed))
	for k := range changed {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.compare(&b) })
	return keys
}

// Distance is how many Services, endpoints and addresses of Pods s holds that a
// later snapshot of the same store does not: what it costs to keep s as well.
func (s *Snapshot) Distance(later *Snapshot) int {
	sum := 0
	for _, pair := range [][2]*radix.Tree[Key, *serviceNode]{{&s.services, &later.services}, {&s.imports, &later.imports}} {
		for k := range radix.Differing(pair[0], pair[1]) {
			old, _ := pair[0].Get(k)
			now, _ := pair[1].Get(k)
			sum += old.distance(now)
		}
	}
	for range radix.DifferingAddrs(&s.pods, &later.pods) {
		sum++
	}
	return sum
}

// distance is one, and the endpoints of the slices that only n has.
func (n *serviceNode) distance(later *serviceNode) int {
	sum := 1
	if n == nil {
		return sum
	}
	for _, slice := range n.slices {
		if later == nil || !slices.Contains(later.slices, slice) {
			sum += slice.Endpoints.Len()
		}
	}
	return sum
}
