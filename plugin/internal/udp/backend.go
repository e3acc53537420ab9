package udp

import (
	"context"
	"net"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// Backend is what one instance of CoreDNS serves at a listener. It does not change while a
// listener uses it.
type Backend struct {
	Owner   any               // the instance, which may stop it
	Local   net.Addr          // address of CoreDNS's own socket, for plugins
	Zones   reply.Zones       // none if CoreDNS answers all
	Handler Handler           // answers the questions that we do not
	Context context.Context   // passed to Handler
	Secrets map[string]string // TSIG secrets by the name of the key (RFC 8945)
	Meter   ListenerMeter
}

// Handler is CoreDNS. For a name outside the view of a [reply.Block] with a Cache it must call
// [WillBlock] before it waits for anything.
type Handler interface {
	ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg)
}

// ListenerMeter counts what a listener does.
type ListenerMeter interface {
	Answered(n int)   // questions answered by our sockets
	HandedOver(n int) // questions passed to CoreDNS
	Dropped(n int)    // questions discarded under overload
	Lost(n int)       // packets that the kernel dropped because a socket's buffer was full
	Ignored(n int)    // packets that are not questions
	Misrouted()       // one packet that the kernel gave to CoreDNS's own socket
	Panicked()        // one panic of our code; CoreDNS got the question
	GivenUp()         // our sockets are closed for good
}
