package udp

import (
	"context"
	"encoding/binary"

	"github.com/miekg/dns"
)

// serve gives a packet to CoreDNS, as the server of miekg/dns would do that reads
// CoreDNS's own socket.
func (s *Service) serve(ctx context.Context, w *writer, packet []byte) {
	w.describe(s.Local)
	m := new(dns.Msg)
	switch action := dns.DefaultMsgAcceptFunc(headerOf(packet)); action {
	case dns.MsgAccept:
		if m.Unpack(packet) != nil {
			s.reject(w, m, dns.RcodeFormatError)
			return
		}
		w.tsig = verify(packet, m, s.Secrets)
		s.Handler.ServeDNS(ctx, w, m)
	case dns.MsgReject:
		s.reject(w, onlyHeader(packet), dns.RcodeFormatError)
	case dns.MsgRejectNotImplemented:
		s.reject(w, onlyHeader(packet), dns.RcodeNotImplemented)
	case dns.MsgIgnore:
	}
}

func headerOf(packet []byte) dns.Header {
	word := func(i int) uint16 { return binary.BigEndian.Uint16(packet[2*i:]) }
	return dns.Header{Id: word(0), Bits: word(1), Qdcount: word(2), Ancount: word(3), Nscount: word(4), Arcount: word(5)}
}

// onlyHeader is a message without its sections.
func onlyHeader(packet []byte) *dns.Msg {
	var header [headerSize]byte
	copy(header[:4], packet)
	m := new(dns.Msg)
	_ = m.Unpack(header[:]) // a header alone cannot be malformed
	return m
}

// reject answers what is no proper question.
func (*Service) reject(w *writer, m *dns.Msg, rcode int) {
	opcode := m.Opcode
	m.SetRcodeFormatError(m)
	m.Zero = false
	if rcode == dns.RcodeNotImplemented {
		m.Opcode, m.Rcode = opcode, rcode
	}
	m.Answer, m.Ns, m.Extra = nil, nil, nil
	_ = w.WriteMsg(m) // nobody is there to be told
}
