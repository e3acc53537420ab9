package zone

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Difference is what makes the records of an origin in one snapshot those in
// another. No record is in both lists.
type Difference struct{ Removed, Added []dns.RR }

// Difference compares the records of an origin, in the order of a transfer. The
// snapshots must be of one store: what they share is not looked at.
func (v *View) Difference(before, after *cluster.Snapshot, o Origin) Difference {
	return difference(v.transfer, before, after, o)
}

// difference compares what a transfer of the name servers and of the Services that
// changed passes on.
func difference(
	transfer func(s *cluster.Snapshot, o Origin, keys []cluster.Key, yield func(dns.RR) bool),
	before, after *cluster.Snapshot, o Origin,
) Difference {
	keys := cluster.ChangedServices(before, after, o.ClusterSet)
	some := func(s *cluster.Snapshot) []dns.RR {
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
