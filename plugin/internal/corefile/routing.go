package corefile

import (
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Routing decides which names other server blocks of the Corefile answer for. It ignores
// their ports: a wrong decision costs a detour through the server.
type Routing struct{ own, others dnsname.Zones }

// RoutingOf returns the routing for the server block of a configuration.
func RoutingOf(server *dnsserver.Config, blocks []Block) Routing {
	var r Routing
	for i := range blocks {
		zones := &r.others
		if blocks[i].has(server) {
			zones = &r.own
		}
		*zones = append(*zones, dnsname.ParseZones(blocks[i].Zones())...)
	}
	return r
}

// Elsewhere reports whether another server block answers for a name, because it has the
// longest zone.
func (r *Routing) Elsewhere(n *dnsname.Name) bool { return r.others.Longest(n) > r.own.Longest(n) }
