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

// pass passes a question to the next plugin. No plugin ahead has the answer, and those
// after this one may wait. It refuses a client with more than its share of waiting
// questions, so that the plugin forward does not refuse other clients.
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
			// REFUSED, which forward uses, would mean that this server does not answer for
			// the name.
			return dns.RcodeServerFailure, nil
		}
		defer d.upstreams.Leave(client)
	}
	return plugin.NextOrFailure(d.Name(), d.Next, ctx, w, r)
}

// clientOf returns the client that a question counts for.
func clientOf(w dns.ResponseWriter) fair.Client {
	var ip net.IP
	switch a := w.RemoteAddr().(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.TCPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip) // all others count as one client
	return fair.ClientOf(addr)
}
