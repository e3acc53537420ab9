package chain

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
)

// answer answers a question as our sockets would, over any transport but plain UDP: of UDP, our
// sockets have handed over what comes here. It reports whether it has written an answer, or will.
// If the question is the first of a connection that can be taken over, it returns when the
// connection has ended.
func (h *first) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (bool, error) {
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	scrub, direct := w.(*request.ScrubWriter)
	if !ok || !direct || !takesOctets(scrub.ResponseWriter) {
		return false, nil
	}
	client, ok := streamClient(scrub, server)
	if !ok {
		return false, nil
	}
	head := h.head(server)
	switch {
	case head == nil:
		return false, nil
	case head.Take(scrub.ResponseWriter, r):
		return true, nil
	}
	return head.Answer(client, r, func(wire []byte) error { return send(scrub.ResponseWriter, wire) })
}

// takesOctets reports whether a writer is that of a transport, so that octets reach the client. A
// plugin that looks a name up inside the server has a writer of its own, which takes messages
// alone. A question from a connection that was taken over is handed over already.
func takesOctets(w dns.ResponseWriter) bool {
	if tcp.HandsOver(w) {
		return false
	}
	switch w.(type) {
	case dns.ConnectionStater: // TCP and TLS
		return true
	case interface{ Network() string }: // HTTPS, QUIC and gRPC
		return true
	}
	return false
}

// streamClient returns the address of a client, unless its question came over plain UDP.
func streamClient(w dns.ResponseWriter, server *dnsserver.Server) (netip.Addr, bool) {
	if _, datagram := w.RemoteAddr().(*net.UDPAddr); datagram && strings.HasPrefix(server.Addr, transport.DNS+"://") {
		return netip.Addr{}, false
	}
	return addrOf(w.RemoteAddr())
}

// send writes an answer. A stream of QUIC ends with it (RFC 9250 4.2).
func send(w dns.ResponseWriter, wire []byte) error {
	_, err := w.Write(wire)
	if q, ok := w.(*dnsserver.DoQWriter); ok && err == nil {
		return q.Close()
	}
	return err
}
