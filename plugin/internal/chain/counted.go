package chain

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// counted counts who asks what, of the questions that the plugins of a server block answer.
type counted struct {
	next  plugin.Handler
	asked *top.Counter
}

// Name implements plugin.Handler.
func (*counted) Name() string { return "clusterdns_counted" }

// ServeDNS implements plugin.Handler.
func (h *counted) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	weight := h.asked.Sample()
	if weight == 0 || len(r.Question) == 0 || isInside(w) {
		return h.next.ServeDNS(ctx, w, r)
	}
	client, ok := addrOf(w.RemoteAddr())
	name, unnamed := dnsname.Parse(r.Question[0].Name) // plugins may change the question
	if !ok || unnamed != nil {
		return h.next.ServeDNS(ctx, w, r)
	}
	seen := &rcodeWriter{ResponseWriter: w, rcode: -1}
	rcode, err := h.next.ServeDNS(ctx, seen, r)
	if seen.rcode < 0 && !plugin.ClientWrite(rcode) {
		seen.rcode = rcode // CoreDNS writes it
	}
	if seen.rcode >= 0 {
		h.asked.Add(client, &name, seen.rcode, weight)
	}
	return rcode, err
}

// isInside reports whether a plugin asks, on behalf of a client whose question is counted.
func isInside(w dns.ResponseWriter) bool {
	if scrub, ok := w.(*request.ScrubWriter); ok {
		w = scrub.ResponseWriter
	}
	if fit, ok := w.(*fitWriter); ok {
		w = fit.ResponseWriter
	}
	_, inside := w.(*nonwriter.Writer)
	return inside
}

func addrOf(a net.Addr) (netip.Addr, bool) {
	var client netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		client = a.AddrPort()
	case *net.TCPAddr:
		client = a.AddrPort()
	}
	return client.Addr().Unmap().WithZone(""), client.IsValid()
}

// rcodeWriter remembers the response code of the first message that is written.
type rcodeWriter struct {
	dns.ResponseWriter
	rcode int // -1 before
}

// WriteMsg implements dns.ResponseWriter.
func (w *rcodeWriter) WriteMsg(m *dns.Msg) error {
	w.see(m.Rcode)
	return w.ResponseWriter.WriteMsg(m)
}

// Write implements dns.ResponseWriter.
func (w *rcodeWriter) Write(wire []byte) (int, error) {
	if len(wire) > 3 {
		w.see(int(wire[3] & 15)) // RFC 1035 4.1.1
	}
	return w.ResponseWriter.Write(wire)
}

func (w *rcodeWriter) see(rcode int) {
	if w.rcode < 0 {
		w.rcode = rcode
	}
}

// ConnectionState implements dns.ConnectionStater.
func (w *rcodeWriter) ConnectionState() *tls.ConnectionState {
	if s, ok := w.ResponseWriter.(dns.ConnectionStater); ok {
		return s.ConnectionState()
	}
	return nil
}
