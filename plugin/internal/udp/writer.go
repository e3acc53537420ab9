package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// writer sends CoreDNS's reply to a question that came to one of our sockets.
type writer struct {
	conn   packetWriter
	client netip.AddrPort
	zone   string  // name of the interface of a link-local client
	tsig   *signer // nil unless the question is signed
	slot   recent.Slot

	// turnedAway is set if the handler must not block. Its failure is then no answer.
	turnedAway atomic.Bool
	discarded  atomic.Bool // such a failure was not sent

	// Plugins ask for these addresses again and again.
	local  net.Addr
	remote net.UDPAddr
	octets [16]byte // memory of remote.IP
}

var _ dns.ResponseWriter = (*writer)(nil)

// packetWriter sends packets, as [net.UDPConn] does.
type packetWriter interface {
	WriteToUDPAddrPort(data []byte, to netip.AddrPort) (int, error)
}

// signer signs the answers to a signed question (RFC 8945 5.3).
type signer struct {
	secrets map[string]string
	status  error
	mac     string
	timers  bool
}

// describe sets the addresses to those that CoreDNS's own socket would report.
func (w *writer) describe(local net.Addr) {
	addr := w.client.Addr()
	w.local, w.octets = local, addr.As16()
	w.remote = net.UDPAddr{IP: w.octets[:], Port: int(w.client.Port()), Zone: w.zone}
}

// LocalAddr implements dns.ResponseWriter.
func (w *writer) LocalAddr() net.Addr { return w.local }

// RemoteAddr implements dns.ResponseWriter.
func (w *writer) RemoteAddr() net.Addr { return &w.remote }

// packed holds buffers for messages.
var packed = sync.Pool{New: func() any { return new([4096]byte) }}

// WriteMsg implements dns.ResponseWriter.
func (w *writer) WriteMsg(m *dns.Msg) error {
	if m.Rcode == dns.RcodeServerFailure && w.turnedAway.Load() {
		w.discarded.Store(true)
		return nil
	}
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
		w.slot.Offer(m, data)
	}
	return err
}

// ownOPT sets the size in a reply's OPT record to our own, and clears all flags but DO (RFC 6891
// 6.1.4, 6.2.3). CoreDNS repeats the client's.
func ownOPT(m *dns.Msg) {
	if opt := m.IsEdns0(); opt != nil {
		opt.SetUDPSize(reply.PacketSize)
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

// verify verifies the signature of a question. The handler decides what to do about a wrong one.
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

// sign signs a reply. It leaves a reply unsigned that says that the question's key or signature
// is wrong (RFC 8945 5.3.2).
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
