package tcp

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// writer takes CoreDNS's answer to a question of a connection. Of CoreDNS's own writer it has the
// addresses alone. It is the context of the call, too.
type writer struct {
	context.Context
	dns.ResponseWriter
	to       *connection
	question *dns.Msg
	slot     recent.Slot
	packet   []byte // of the question, if the answer may be kept
}

var (
	_ dns.ResponseWriter   = (*writer)(nil)
	_ dns.ConnectionStater = (*writer)(nil)

	errTooLong = errors.New("message too long")
)

// ask has CoreDNS answer the question, and keeps the answer if that may be.
func (w *writer) ask() {
	s := w.to.server
	s.Handler.ServeDNS(w, w, w.question)
	if r, at := w.slot.Take(); r != nil {
		s.Zones.KeepStream(w.to.client, w.packet, r, at)
	}
}

// Value implements context.Context.
func (w *writer) Value(key any) any {
	if key == (recent.SlotKey{}) {
		return &w.slot
	}
	return w.Context.Value(key)
}

// HandsOver reports whether a writer is that of a question which a connection hands over to CoreDNS.
func HandsOver(w dns.ResponseWriter) bool {
	_, is := w.(*writer)
	return is
}

// packed holds memory for messages with their length ahead.
var packed = sync.Pool{New: func() any { return new([prefix + 4096]byte) }}

// WriteMsg implements dns.ResponseWriter.
func (w *writer) WriteMsg(m *dns.Msg) error {
	buf := packed.Get().(*[prefix + 4096]byte)
	defer packed.Put(buf)
	wire, err := m.PackBuffer(buf[prefix:])
	if err != nil {
		return err
	}
	w.slot.Offer(m, wire)
	if len(wire) > len(buf)-prefix || &wire[0] != &buf[prefix] {
		_, err = w.Write(wire)
		return err
	}
	binary.BigEndian.PutUint16(buf[:], uint16(len(wire)))
	return w.to.output.send(buf[:prefix+len(wire)])
}

// Write implements dns.ResponseWriter.
func (w *writer) Write(wire []byte) (int, error) {
	if len(wire) > dns.MaxMsgSize {
		return 0, errTooLong
	}
	framed := make([]byte, prefix, prefix+len(wire))
	binary.BigEndian.PutUint16(framed, uint16(len(wire)))
	return len(wire), w.to.output.send(append(framed, wire...))
}

// ConnectionState implements dns.ConnectionStater.
func (w *writer) ConnectionState() *tls.ConnectionState {
	if s, ok := w.ResponseWriter.(dns.ConnectionStater); ok {
		return s.ConnectionState()
	}
	return nil
}

// TsigStatus implements dns.ResponseWriter. Connections of a server with keys are not taken over.
func (w *writer) TsigStatus() error {
	if w.question.IsTsig() != nil {
		return dns.ErrSecret
	}
	return nil
}

// TsigTimersOnly implements dns.ResponseWriter.
func (*writer) TsigTimersOnly(bool) {}

// Close implements dns.ResponseWriter. It closes the connection, as CoreDNS's own does.
func (w *writer) Close() error { return w.to.conn.Close() }

// Hijack implements dns.ResponseWriter. CoreDNS must close the connection.
func (*writer) Hijack() {}

// accept returns the message in a packet for CoreDNS, nil if the client gets an error, or nothing,
// at once. Both are as in the server of miekg/dns.
func accept(packet []byte, c *connection) *dns.Msg {
	if len(packet) < reply.HeaderSize {
		return nil
	}
	word := func(i int) uint16 { return binary.BigEndian.Uint16(packet[2*i:]) }
	header := dns.Header{Id: word(0), Bits: word(1), Qdcount: word(2), Ancount: word(3), Nscount: word(4), Arcount: word(5)}
	m := new(dns.Msg)
	switch action := dns.DefaultMsgAcceptFunc(header); action {
	case dns.MsgAccept:
		if m.Unpack(packet) == nil {
			return m
		}
		c.reject(m, dns.RcodeFormatError)
	case dns.MsgReject, dns.MsgRejectNotImplemented:
		var bare [reply.HeaderSize]byte
		copy(bare[:4], packet)
		_ = m.Unpack(bare[:]) // a header alone cannot be malformed
		if action == dns.MsgReject {
			c.reject(m, dns.RcodeFormatError)
			return nil
		}
		c.reject(m, dns.RcodeNotImplemented)
	case dns.MsgIgnore:
	}
	return nil
}

// reject answers a message with an error.
func (c *connection) reject(m *dns.Msg, rcode int) {
	opcode := m.Opcode
	m.SetRcodeFormatError(m)
	m.Zero = false
	if rcode == dns.RcodeNotImplemented {
		m.Opcode, m.Rcode = opcode, rcode
	}
	m.Answer, m.Ns, m.Extra = nil, nil, nil
	_ = (&writer{ResponseWriter: c.origin, to: c, question: m}).WriteMsg(m) // the error can be reported to nobody
}
