package udp

import (
	"context"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// ednsReply returns the reply to a packet, from a Responder or from a handler that repeats the
// question's OPT record, as CoreDNS does.
func ednsReply(t *testing.T, packet []byte) *dns.Msg {
	t.Helper()
	s, _ := testBackend(t)
	out, verdict := reply.NewResponder().Respond(s.Zones, netip.Addr{}, packet, make([]byte, 0, reply.MaxSize))
	if verdict == reply.Answer {
		m := new(dns.Msg)
		if err := m.Unpack(out); err != nil {
			t.Fatal(err)
		}
		return m
	}
	s.Handler = handlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetRcode(r, dns.RcodeRefused)
		if opt := r.IsEdns0(); opt != nil {
			m.Extra = append(m.Extra, opt)
		}
		_ = w.WriteMsg(m)
	})
	return served(t, s, packet)
}

// ednsQuestion returns a question with all flags set in its OPT record.
func ednsQuestion(t *testing.T, name string, options ...dns.EDNS0) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(4096, true)
	opt := m.IsEdns0()
	opt.SetZ(0x3fff)
	opt.SetCo()
	opt.Option = options
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// ednsNames are a name that the Responder answers for and one that the handler refuses.
var ednsNames = map[string]int{ourName: dns.RcodeSuccess, "example.com.": dns.RcodeRefused}

func wantEDNS(t *testing.T, m *dns.Msg, rcode int, do bool) {
	t.Helper()
	opt := m.IsEdns0()
	if m.Rcode != rcode || opt == nil {
		t.Errorf("want %s with an OPT record:\n%s", dns.RcodeToString[rcode], m)
		return
	}
	if opt.UDPSize() != reply.PacketSize || opt.Do() != do || opt.Co() || opt.Z() != 0 || opt.Version() != 0 {
		t.Errorf("not our own size and DO alone: %s", opt)
	}
}

// A client may ask for the zone's version with an empty option, which is ignored (RFC 9660
// 2, RFC 6891 6.1.2).
func TestP9ZoneVersionIsIgnored(t *testing.T) {
	cookie := &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}
	empty := &dns.EDNS0_LOCAL{Code: dns.EDNS0ZONEVERSION}
	for name, rcode := range ednsNames {
		wantEDNS(t, ednsReply(t, ednsQuestion(t, name, empty)), rcode, true)
		wantEDNS(t, ednsReply(t, ednsQuestion(t, name, cookie, empty, cookie)), rcode, true)
	}
}

// A reply repeats DO alone, and says what we take (RFC 6891 6.1.4, 6.2.3).
func TestP10FlagsAndSize(t *testing.T) {
	for name, rcode := range ednsNames {
		wantEDNS(t, ednsReply(t, ednsQuestion(t, name)), rcode, true)
	}
}

// Two OPT records are a format error, and a reply to a question with one has one (RFC 6891
// 6.1.1).
func TestP10RejectsWithOPT(t *testing.T) {
	for name := range ednsNames {
		packet := ednsQuestion(t, name)
		second := append([]byte(nil), packet...)
		second = append(second, packet[len(packet)-11:]...)
		second[11] = 2
		wantEDNS(t, ednsReply(t, second), dns.RcodeFormatError, true)
		status := append([]byte(nil), packet...)
		status[2] |= dns.OpcodeStatus << 3
		wantEDNS(t, ednsReply(t, status), dns.RcodeNotImplemented, true)
		version := append([]byte(nil), packet...)
		version[len(version)-5] = 1
		if m := ednsReply(t, version); m.IsEdns0() == nil || m.IsEdns0().UDPSize() != reply.PacketSize {
			t.Errorf("version 1: %s", m)
		}
	}
}
