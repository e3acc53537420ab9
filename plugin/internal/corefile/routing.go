package corefile

import (
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Routing tells which names other server blocks of the Corefile answer for. It does not look
// at their ports: an error costs a detour through the server.
type Routing struct{ own, others dnsname.Zones }

// RoutingOf returns the routing as the server block of a config sees it.
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

// Elsewhere reports whether another server block answers for a name: the one with the longest
// zone does.
func (r *Routing) Elsewhere(n *dnsname.Name) bool { return r.others.Longest(n) > r.own.Longest(n) }
