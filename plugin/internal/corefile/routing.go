package corefile

import (
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Routing tells which names other server blocks of the Corefile answer for. It does not look
// at their ports: an error costs a detour through the server.
type Routing struct{ own, others zoneSet }

// RoutingOf returns the routing as the server block of a config sees it.
func RoutingOf(server *dnsserver.Config, blocks []Block) Routing {
	var r Routing
	for i := range blocks {
		zones := &r.others
		if blocks[i].Has(server) {
			zones = &r.own
		}
		for _, text := range blocks[i].Zones() {
			if o, err := dnsname.ParseOrigin(text); err == nil {
				*zones = append(*zones, o)
			}
		}
	}
	return r
}

// Elsewhere reports whether another server block answers for a name: the one with the longest
// zone does.
func (r *Routing) Elsewhere(n *dnsname.Name) bool { return r.others.longest(n) > r.own.longest(n) }

// zoneSet is a set of zones.
type zoneSet []dnsname.Origin

// longest returns the number of labels of the longest zone that holds a name, or -1.
func (z zoneSet) longest(n *dnsname.Name) int {
	found := -1
	for i := range z {
		if z[i].Encloses(n) {
			found = max(found, z[i].Labels())
		}
	}
	return found
}
