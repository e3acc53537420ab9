package udp

import (
	"context"
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// serve passes a packet to CoreDNS, like the server of miekg/dns that reads CoreDNS's own
// socket, but follows RFC 6891 where that server does not.
func (s *Backend) serve(ctx context.Context, w *writer, packet []byte) {
	w.describe(s.Local)
	switch action := dns.DefaultMsgAcceptFunc(headerOf(packet)); action {
	case dns.MsgAccept:
		m, err := reply.Unpack(packet)
		if err != nil {
			s.reject(w, m, dns.RcodeFormatError)
			return
		}
		w.tsig = verify(packet, m, s.Secrets)
		s.Handler.ServeDNS(ctx, w, m)
	case dns.MsgReject:
		s.reject(w, unpackLeniently(packet), dns.RcodeFormatError)
	case dns.MsgRejectNotImplemented:
		s.reject(w, unpackLeniently(packet), dns.RcodeNotImplemented)
	case dns.MsgIgnore:
	}
}

func headerOf(packet []byte) dns.Header {
	word := func(i int) uint16 { return binary.BigEndian.Uint16(packet[2*i:]) }
	return dns.Header{Id: word(0), Bits: word(1), Qdcount: word(2), Ancount: word(3), Nscount: word(4), Arcount: word(5)}
}

// unpackLeniently unpacks a message without its question, or its header alone if the rest is
// malformed.
func unpackLeniently(packet []byte) *dns.Msg {
	m := new(dns.Msg)
	if m.Unpack(packet) == nil {
		m.Question = nil
		return m
	}
	var header [reply.HeaderSize]byte
	copy(header[:4], packet)
	m = new(dns.Msg)
	_ = m.Unpack(header[:]) // a header alone cannot be malformed
	return m
}

// reject replies with an error, and with an OPT record if the message has one (RFC 6891 6.1.1).
func (*Backend) reject(w *writer, m *dns.Msg, rcode int) {
	opcode, opt := m.Opcode, m.IsEdns0()
	m.SetRcodeFormatError(m)
	m.Zero = false
	if rcode == dns.RcodeNotImplemented {
		m.Opcode, m.Rcode = opcode, rcode
	}
	m.Answer, m.Ns, m.Extra = nil, nil, nil
	if opt != nil {
		m.SetEdns0(reply.PacketSize, opt.Do())
	}
	_ = w.WriteMsg(m) // the error can be reported to nobody
}
