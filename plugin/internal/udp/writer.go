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
	zone   string  // the interface's name if the client's address is of one alone
	tsig   *signer // nil unless the question is signed

	// What plugins are told, which ask for it again and again.
	local  net.Addr
	remote net.UDPAddr
	octets [16]byte // of remote
}

var _ dns.ResponseWriter = (*writer)(nil)

// signer signs the answers to a signed question (RFC 8945 5.3).
type signer struct {
	secrets map[string]string
	status  error
	mac     string
	timers  bool
}

// describe has the writer tell what that of CoreDNS's own socket would.
func (w *writer) describe(local net.Addr) {
	addr := w.client.Addr()
	w.local, w.octets = local, addr.As16()
	w.remote = net.UDPAddr{IP: w.octets[:], Port: int(w.client.Port()), Zone: w.zone}
}

// LocalAddr implements dns.ResponseWriter.
func (w *writer) LocalAddr() net.Addr { return w.local }

// RemoteAddr implements dns.ResponseWriter.
func (w *writer) RemoteAddr() net.Addr { return &w.remote }

// packed are buffers for messages.
var packed = sync.Pool{New: func() any { return new([4096]byte) }}

// WriteMsg implements dns.ResponseWriter.
func (w *writer) WriteMsg(m *dns.Msg) error {
	ownOPT(m)
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

// ownOPT has a reply say what we take, not what the client does, and repeat no flag but DO:
// CoreDNS repeats the client's (RFC 6891 6.1.4, 6.2.3).
func ownOPT(m *dns.Msg) {
	if opt := m.IsEdns0(); opt != nil {
		opt.SetUDPSize(packetSize)
		opt.SetZ(0)
		opt.SetCo(false)
	}
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

// sign signs a reply, but for one that says that the question's key or signature is wrong
// (RFC 8945 5.3.2).
func (s *signer) sign(m *dns.Msg) ([]byte, error) {
	t := m.IsTsig()
	secret, ok := s.secrets[t.Hdr.Name]
	if !ok && t.Error != dns.RcodeBadKey && t.Error != dns.RcodeBadSig {
		return nil, errNoKey
	}
	data, mac, err := dns.TsigGenerate(m, secret, s.mac, s.timers)
	s.mac = mac
	return data, err
}
