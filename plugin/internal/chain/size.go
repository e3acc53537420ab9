package chain

import (
	"net"
	"net/netip"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// ReplyLimit reports whether replies to clients outside the cluster's own networks have a
// limit.
type ReplyLimit bool

// ReplyLimitOf returns the limit of a server block: one applies over plain UDP, unless the
// Corefile sets another with the plugin bufsize. It must be called when the plugins of the
// server block are known by their names.
func ReplyLimitOf(server *dnsserver.Config) ReplyLimit {
	return ReplyLimit(server.Transport == transport.DNS && server.Handler("bufsize") == nil)
}

// fitDatagram lowers an EDNS size that no datagram has. The system refuses to send a longer
// reply, so that the client would get none. A reply over another transport repeats the size as
// it is.
func fitDatagram(w dns.ResponseWriter, r *dns.Msg) {
	opt := r.IsEdns0()
	if opt == nil || opt.UDPSize() <= reply.MaxSize {
		return
	}
	if _, isUDP := w.RemoteAddr().(*net.UDPAddr); isUDP {
		opt.SetUDPSize(reply.MaxSize)
	}
}

// Lower lowers the EDNS size of a client outside the cluster's own networks, as the plugin
// bufsize does. It returns a function that undoes that for the next plugin.
func (l ReplyLimit) Lower(w dns.ResponseWriter, r *dns.Msg) (undo func()) {
	opt := r.IsEdns0()
	if !l || opt == nil || opt.UDPSize() <= reply.ForeignSize {
		return func() {}
	}
	state := request.Request{W: w, Req: r}
	client, err := netip.ParseAddr(state.IP())
	if err != nil || state.Proto() != "udp" || reply.IsOwnNetwork(client.Unmap()) {
		return func() {}
	}
	takes := opt.UDPSize()
	opt.SetUDPSize(reply.ForeignSize)
	return func() { opt.SetUDPSize(takes) }
}
