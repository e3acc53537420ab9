package chain

import (
	"context"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// Ask asks a handler for another type of the name in a client's question. Unlike a look-up in the whole
// server, that asks for the name as plugins before the handler, such as rewrite, have left it.
func Ask(ctx context.Context, h plugin.Handler, w dns.ResponseWriter, r *dns.Msg, qtype uint16) *dns.Msg {
	state := request.Request{W: w, Req: r}
	other := state.NewWithQuestion(state.QName(), qtype).Req
	nw := nonwriter.New(w)
	rcode, _ := h.ServeDNS(ctx, nw, other) // with an error comes SERVFAIL
	if nw.Msg == nil {
		return new(dns.Msg).SetRcode(other, rcode)
	}
	return nw.Msg
}
