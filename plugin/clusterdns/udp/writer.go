package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/miekg/dns"
)

// writer is how CoreDNS answers a question that came to a socket of ours.
type writer struct {
	conn   *net.UDPConn
	client netip.AddrPort
	tsig   *signer // nil unless the question is signed
}

var _ dns.ResponseWriter = (*writer)(nil)

// signer signs the answers to a signed question (RFC 8945 5.3).
type signer struct {
	secrets map[string]string
	status  error
	mac     string
	timers  bool
}

// LocalAddr implements dns.ResponseWriter.
func (w *writer) LocalAddr() net.Addr { return w.conn.LocalAddr() }

// RemoteAddr implements dns.ResponseWriter.
func (w *writer) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(w.client) }

// packed are buffers for messages.
var packed = sync.Pool{New: func() any { return new([4096]byte) }}

// WriteMsg implements dns.ResponseWriter.
func (w *writer) WriteMsg(m *dns.Msg) error {
	if w.tsig != nil && m.IsTsig() != nil {
		data, err := w.tsig.sign(m)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	buf := packed.Get().(*[4096]byte)
	defer packed.Put(buf)
	data, err := m.PackBuffer(buf[:])
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// Write implements dns.ResponseWriter.
func (w *writer) Write(data []byte) (int, error) {
	return w.conn.WriteToUDPAddrPort(data, w.client)
}

// Close implements dns.ResponseWriter. There is no connection.
func (*writer) Close() error { return nil }

// Hijack implements dns.ResponseWriter. There is no connection.
func (*writer) Hijack() {}

// TsigStatus implements dns.ResponseWriter.
func (w *writer) TsigStatus() error {
	if w.tsig == nil {
		return nil
	}
	return w.tsig.status
}

// TsigTimersOnly implements dns.ResponseWriter.
func (w *writer) TsigTimersOnly(only bool) {
	if w.tsig != nil {
		w.tsig.timers = only
	}
}

var errNoKey = errors.New("no such TSIG key")

// verify looks at the signature of a question. What it finds is the handler's to
// judge.
func verify(packet []byte, m *dns.Msg, secrets map[string]string) *signer {
	t := m.IsTsig()
	if t == nil {
		return nil
	}
	s := &signer{secrets: secrets, mac: t.MAC}
	secret, ok := secrets[t.Hdr.Name]
	if !ok {
		s.status = dns.ErrSecret
		return s
	}
	s.status = dns.TsigVerify(packet, secret, "", false)
	return s
}

func (s *signer) sign(m *dns.Msg) ([]byte, error) {
	secret, ok := s.secrets[m.IsTsig().Hdr.Name]
	if !ok {
		return nil, errNoKey
	}
	data, mac, err := dns.TsigGenerate(m, secret, s.mac, s.timers)
	s.mac = mac
	return data, err
}
