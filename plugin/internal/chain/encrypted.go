package chain

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// serves reports whether a key of a server block has one of the transports.
func serves(keys []string, transports ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		scheme, _, ok := strings.Cut(key, "://")
		return ok && slices.Contains(transports, scheme)
	})
}

// offerDoT makes a server block with tls:// offer the protocol "dot" to clients that ask
// for it, as RFC 9103 7.1 requires of a server that sends zones. A client that names no
// protocol is served as before. It must be called after the plugin tls has been set up.
func offerDoT(server *dnsserver.Config, keys []string) {
	const dot = "dot"
	if c := server.TLSConfig; c != nil && serves(keys, transport.TLS) && !slices.Contains(c.NextProtos, dot) {
		c.NextProtos = append(c.NextProtos, dot)
	}
}

// fitsEncrypted reports whether a server block with these keys needs the handler encrypted.
func fitsEncrypted(keys []string) bool {
	return serves(keys, transport.TLS, transport.HTTPS, transport.HTTPS3, transport.QUIC)
}

// encrypted fits replies to encrypted transports, which CoreDNS treats like plain ones. It
// must come before every plugin that writes replies.
//
//   - A reply over QUIC or HTTP/3 may have the largest size of a message. CoreDNS takes both
//     for UDP, and a reply with the TC bit is useless, because the client cannot change to TCP.
//   - A reply to a question with padding has padding (RFC 7830 4).
type encrypted struct{ next plugin.Handler }

// Name implements plugin.Handler.
func (*encrypted) Name() string { return "clusterdns_encrypted" }

// ServeDNS implements plugin.Handler.
func (h *encrypted) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	fit(ctx, w, r)
	return h.next.ServeDNS(ctx, w, r)
}

// fit puts a writer below CoreDNS's own, which cuts replies. CoreDNS writes failures after the chain
// by itself, and those pass it too.
func fit(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) {
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	scrub, cuts := w.(*request.ScrubWriter)
	if !ok || !cuts {
		return
	}
	scheme, _, _ := strings.Cut(server.Addr, "://")
	f := &fitWriter{ResponseWriter: scrub.ResponseWriter, remote: w.RemoteAddr(), pads: hasPadding(r)}
	switch scheme {
	case transport.QUIC, transport.HTTPS3:
		f.remote = streamed(f.remote)
	case transport.TLS, transport.HTTPS:
		if !f.pads {
			return
		}
	default:
		return
	}
	scrub.ResponseWriter = f
}

// streamed returns an address like that of a client over TCP. From that, CoreDNS concludes
// which size the client accepts.
func streamed(a net.Addr) net.Addr {
	if u, ok := a.(*net.UDPAddr); ok {
		return &net.TCPAddr{IP: u.IP, Port: u.Port, Zone: u.Zone}
	}
	return a
}

func hasPadding(r *dns.Msg) bool {
	opt := r.IsEdns0()
	return opt != nil && slices.ContainsFunc(opt.Option, isPadding)
}

func isPadding(o dns.EDNS0) bool { return o.Option() == dns.EDNS0PADDING }

// fitWriter writes the replies to a question over an encrypted transport.
type fitWriter struct {
	dns.ResponseWriter
	remote net.Addr
	pads   bool
}

// RemoteAddr implements dns.ResponseWriter.
func (w *fitWriter) RemoteAddr() net.Addr { return w.remote }

// ConnectionState implements dns.ConnectionStater.
func (w *fitWriter) ConnectionState() *tls.ConnectionState {
	if stater, ok := w.ResponseWriter.(dns.ConnectionStater); ok {
		return stater.ConnectionState()
	}
	return nil
}

// WriteMsg implements dns.ResponseWriter.
func (w *fitWriter) WriteMsg(m *dns.Msg) error {
	if w.pads {
		pad(m)
	}
	return w.ResponseWriter.WriteMsg(m)
}

// paddingBlock is the number of octets that divides the size of a padded reply (RFC 8467
// 4.1).
const paddingBlock = 468

// pad pads a message. Its OPT record may belong to the question, so pad copies it.
func pad(m *dns.Msg) {
	at := slices.IndexFunc(m.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
	if at < 0 {
		return
	}
	opt, filler := *m.Extra[at].(*dns.OPT), new(dns.EDNS0_PADDING)
	bare := slices.DeleteFunc(slices.Clone(opt.Option), isPadding)
	opt.Option = append(bare, filler)
	m.Extra = slices.Clone(m.Extra)
	m.Extra[at] = &opt
	size := m.Len()
	if size > dns.MaxMsgSize {
		opt.Option = bare
		return
	}
	filler.Padding = make([]byte, min((paddingBlock-size%paddingBlock)%paddingBlock, dns.MaxMsgSize-size))
}
