package clusterdns

import (
	"context"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// Directives are the names of the plugin in a Corefile.
var Directives = []string{"kubernetes", "clusterdns"}

// Of returns the handler of a server block, or nil. The plugins must be known by their names.
func Of(server *dnsserver.Config) *ClusterDNS {
	for _, directive := range Directives {
		if d, ok := server.Handler(directive).(*ClusterDNS); ok {
			return d
		}
	}
	return nil
}

// ServeBeside serves a question in another handler of the server block, which has zones of its own.
// answer returns the handler's reply to it and, if there is none, what to do instead.
func (d *ClusterDNS) ServeBeside(ctx context.Context, w dns.ResponseWriter, r *dns.Msg, h plugin.Handler, next plugin.Handler,
	answer func(context.Context, dns.ResponseWriter, *dns.Msg) (*dns.Msg, Disposition),
) (int, error) {
	undo := d.limitReply(w, r)
	m, disposition := answer(ctx, w, r)
	switch disposition {
	case Pass:
		undo()
		return plugin.NextOrFailure(h.Name(), next, ctx, w, r)
	case Refuse:
		return dns.RcodeRefused, nil
	}
	return dns.RcodeSuccess, w.WriteMsg(m)
}
