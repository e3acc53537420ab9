package clusterdns

import (
	"context"
	"net"
	"net/netip"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// pass asks the next plugin. No plugin ahead has the answer, and those behind may wait. It turns
// a client away that has more than its share of the questions that wait, so that the plugin forward
// does not refuse those of others.
func (d *ClusterDNS) pass(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if !udp.WillBlock(ctx) {
		completion.TurnAway(ctx)
		return dns.RcodeServerFailure, nil
	}
	if d.upstreams != nil {
		client := clientOf(w)
		if !d.upstreams.Take(client) {
			udp.TurnAway(ctx)
			completion.TurnAway(ctx)
			// REFUSED, as from forward, would mean that nobody here answers for the name.
			return dns.RcodeServerFailure, nil
		}
		defer d.upstreams.Leave(client)
	}
	return plugin.NextOrFailure(d.Name(), d.Next, ctx, w, r)
}

// clientOf returns who asks.
func clientOf(w dns.ResponseWriter) fair.Client {
	var ip net.IP
	switch a := w.RemoteAddr().(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip) // others count as one client
	return fair.ClientOf(addr)
}
