package xfr

import (
	"iter"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Zones are the records of zones.
type Zones interface {
	// SOA returns the SOA record of an origin in a snapshot.
	SOA(s *cluster.Snapshot, o resolve.Origin) dns.RR
	// Walk yields the other records that a secondary is to have of an origin, each
	// once: the name servers with their addresses, then some of the Services. The order
	// depends on the data and on that of the keys alone.
	Walk(s *cluster.Snapshot, o resolve.Origin, services []cluster.Key, yield func(dns.RR) bool)
}

// recordsOf iterates over all records of an origin, with the Services by namespace and name.
// The SOA records around them (RFC 5936 2.2) are the caller's.
func recordsOf(z Zones, s *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	return func(yield func(dns.RR) bool) { z.Walk(s, o, s.Keys(o.ClusterSet), yield) }
}

// ClusterZones are the zones of a cluster.
//
// A secondary serves less than we do: names that are made from the question, such
// as those of Pods, and endpoints of a Service with a ClusterIP are not data.
type ClusterZones struct{ *resolve.View }

// SOA implements Zones.
func (z ClusterZones) SOA(s *cluster.Snapshot, o resolve.Origin) dns.RR {
	return answer.SOA(z.View, s, o)
}

// Walk implements Zones.
func (z ClusterZones) Walk(s *cluster.Snapshot, o resolve.Origin, services []cluster.Key, yield func(dns.RR) bool) {
	w := walk{view: z.View, origin: o.String(), yield: yield}
	w.nameservers(s, o)
	for _, k := range services {
		if w.ended {
			return
		}
		if svc := w.shown(s, &o, k); svc != nil {
			w.service(svc)
		}
	}
}
