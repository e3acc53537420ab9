package fastpath

import (
	"os"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// Protocols, as the plugin prometheus names them: it takes every transport but plain UDP for TCP.
const (
	udpProto    = "udp"
	streamProto = "tcp"
)

// ZonesFor returns the zones whose questions the first handler of the plugin chain may answer at a
// server, over transports other than plain UDP. The conditions are those of our sockets. It must
// not be called before the server has started.
func (f *Instance) ZonesFor(s *dnsserver.Server) reply.Zones {
	if zones, ok := f.heads.Load(s); ok {
		return zones.(reply.Zones)
	}
	var zones reply.Zones
	if os.Getenv(variable) != "off" && f.unread == nil {
		zones, _ = f.zones(s, streamProto)
	}
	f.heads.Store(s, zones)
	return zones
}
