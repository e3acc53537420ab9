package xfr

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// difference returns what makes the records of an origin in one snapshot those in
// another, each list in the order of a transfer. No record is in both lists. The
// snapshots must be of one store: what they share is not looked at.
func difference(z Zones, before, after *cluster.Snapshot, o resolve.Origin) (removed, added []dns.RR) {
	keys := cluster.ChangedServices(before, after, o.ClusterSet)
	some := func(s *cluster.Snapshot) []dns.RR {
		return slices.Collect(func(yield func(dns.RR) bool) { z.Walk(s, o, keys, yield) })
	}
	was, is := some(before), some(after)
	return without(was, is), without(is, was)
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
