package zone

import (
	"iter"
	"slices"

	"github.com/miekg/dns"
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
	for k := range differing(before.in(o), after.in(o)) {
		changed[k] = struct{}{}
	}
	namespaces := map[string]struct{}{}
	for n := range differing(&before.namespaces, &after.namespaces) {
		namespaces[string(n)] = struct{}{}
	}
	if len(namespaces) > 0 {
		for k := range after.in(o).all() {
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
	for _, pair := range [][2]*tree[Key, *serviceNode]{{&s.services, &later.services}, {&s.imports, &later.imports}} {
		for k := range differing(pair[0], pair[1]) {
			old, _ := pair[0].get(k)
			now, _ := pair[1].get(k)
			sum += old.distance(now)
		}
	}
	for range differing(&s.pods.v4, &later.pods.v4) {
		sum++
	}
	for range differing(&s.pods.v6, &later.pods.v6) {
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

// differing iterates over the keys that only one of two trees has or whose values
// differ, in no order. Its cost is that of the branches that they do not share.
func differing[K pathed, V comparable](a, b *tree[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) { walkDiffering(a.root, b.root, yield) }
}

func walkDiffering[K pathed, V comparable](a, b *branch[K, V], yield func(K) bool) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.children == nil || b.children == nil {
		return compareEntries(a, b, yield)
	}
	for i := range a.children {
		if !walkDiffering(a.children[i], b.children[i], yield) {
			return false
		}
	}
	return true
}

// compareEntries compares what is below two nodes of which one may be a leaf.
func compareEntries[K pathed, V comparable](a, b *branch[K, V], yield func(K) bool) bool {
	rest := map[K]V{}
	a.walk(func(k K, v V) bool {
		rest[k] = v
		return true
	})
	more := b.walk(func(k K, v V) bool {
		was, both := rest[k]
		delete(rest, k)
		return both && was == v || yield(k)
	})
	for k := range rest {
		more = more && yield(k)
	}
	return more
}
