package chain

import (
	"context"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
)

// first enlarges the stack, and answers what no other plugin has to see. So it must come before
// all other handlers of a server block.
type first struct {
	next plugin.Handler
	head func(*dnsserver.Server) *tcp.Server
}

// Name implements plugin.Handler.
func (*first) Name() string { return "clusterdns_first" }

// ServeDNS implements plugin.Handler.
func (h *first) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	fitDatagram(w, r)
	if answered, err := h.answer(ctx, w, r); answered {
		return dns.RcodeSuccess, err
	}
	deepenStack(false)
	return h.next.ServeDNS(ctx, w, r)
}

// chainStack is the size of a stack frame. A stack that has room for it is large enough for
// a plugin chain as long as kubeadm's, which takes nearly eight kilobytes.
const chainStack = 4 << 10

// deepenStack has the runtime enlarge the stack of a goroutine at once, where it is nearly
// empty. CoreDNS starts a goroutine for each packet, with a stack of two kilobytes. Left to
// itself, the runtime enlarges it two or three times on the way down, and each time looks through
// and copies all that is on it, which was a sixth of the server's CPU time. A stack that is large
// enough already is left alone.
//
//go:noinline
func deepenStack(use bool) (touched byte) {
	if use { // never true: only the frame matters, and clearing it would cost time
		var frame [chainStack]byte
		touch(&frame)
		touched = frame[0]
	}
	return touched
}

//go:noinline
func touch(frame *[chainStack]byte) { frame[0] = 1 }
