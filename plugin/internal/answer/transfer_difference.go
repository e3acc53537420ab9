package answer

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Difference is what makes the records of an origin in one snapshot those in
// another. No record is in both lists.
type Difference struct{ Removed, Added []dns.RR }

// difference compares what a transfer of the name servers and of the Services that
// changed passes on.
func difference(
	transfer func(s *cluster.Snapshot, o resolve.Origin, keys []cluster.Key, yield func(dns.RR) bool),
	before, after *cluster.Snapshot, o resolve.Origin,
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
