package chain

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/metrics/vars"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

var log = clog.NewWithPlugin("clusterdns")

// scratch is memory for one question and its answer.
type scratch struct {
	*reply.Responder
	question [dns.MinMsgSize]byte
	answer   []byte // grows with the answers
}

const usualAnswer = 4 << 10

var scratches = sync.Pool{New: func() any {
	return &scratch{Responder: reply.NewResponder(), answer: make([]byte, 0, usualAnswer)}
}}

// answer answers a question as our sockets would, over any transport but plain UDP: of UDP, our
// sockets have handed over what comes here. It reports whether it has written an answer.
func (h *first) answer(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (bool, error) {
	start := time.Now()
	server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	scrub, direct := w.(*request.ScrubWriter)
	if !ok || !direct || h.zones == nil || !takesOctets(scrub.ResponseWriter) || hasPadding(r) {
		return false, nil
	}
	client, ok := streamClient(scrub, server)
	if !ok {
		return false, nil
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	wire, ok := s.respond(h.zones(server), client, r)
	if !ok { // the chain answers
		return false, nil
	}
	err := send(scrub.ResponseWriter, wire)
	if c := s.Last(); c.Meter != nil {
		c.Answered.Took = time.Since(start)
		c.Meter.Answered(&c.Answered)
	}
	return true, err
}

// respond returns the answer to a question, in wire form. A panic is counted and logged as
// CoreDNS does, and the question goes on through the chain.
func (s *scratch) respond(zones reply.Zones, client netip.Addr, r *dns.Msg) (wire []byte, ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Errorf("Recovered from panic at the head of the plugin chain: %v", cause)
			vars.Panic.Inc()
			ok = false
		}
	}()
	if zones == nil {
		return nil, false
	}
	packet, err := r.PackBuffer(s.question[:])
	if err != nil {
		return nil, false
	}
	wire, verdict := s.RespondStream(zones, client, packet, s.answer[:0])
	s.answer = wire
	return wire, verdict == reply.Answer
}

// takesOctets reports whether a writer is that of a transport, so that octets reach the client. A
// plugin that looks a name up inside the server has a writer of its own, which takes messages
// alone.
func takesOctets(w dns.ResponseWriter) bool {
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
	var client netip.AddrPort
	switch a := w.RemoteAddr().(type) {
	case *net.TCPAddr:
		client = a.AddrPort()
	case *net.UDPAddr:
		if !strings.HasPrefix(server.Addr, transport.DNS+"://") {
			client = a.AddrPort()
		}
	}
	return client.Addr().Unmap().WithZone(""), client.IsValid()
}

// send writes an answer. A stream of QUIC ends with it (RFC 9250 4.2).
func send(w dns.ResponseWriter, wire []byte) error {
	_, err := w.Write(wire)
	if q, ok := w.(*dnsserver.DoQWriter); ok && err == nil {
		return q.Close()
	}
	return err
}
