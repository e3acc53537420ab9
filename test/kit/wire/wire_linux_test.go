package wire

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

var from, to = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.53")

// packet returns an IPv4 packet with a DNS message over UDP.
func packet(t *testing.T, m *dns.Msg, to netip.Addr, port uint16) []byte {
	t.Helper()
	message, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	header := make([]byte, 20, 512)
	header[0], header[9] = 4<<4|5, udpProtocol
	copy(header[12:], from.AsSlice())
	copy(header[16:], to.AsSlice())
	header = binary.BigEndian.AppendUint16(header, 40000)
	header = binary.BigEndian.AppendUint16(header, port)
	header = append(header, 0, 0, 0, 0)
	return append(header, message...)
}

func TestQuestionIn(t *testing.T) {
	question := new(dns.Msg).SetQuestion("a.example.", dns.TypeAAAA)
	whole := packet(t, question, to, dnsPort)
	tcp := append([]byte{}, whole...)
	tcp[9] = 6
	for name, tc := range map[string]struct {
		packet []byte
		is     bool
	}{
		"question":      {whole, true},
		"elsewhere":     {packet(t, question, from, dnsPort), false},
		"other port":    {packet(t, question, to, dnsPort+1), false},
		"reply":         {packet(t, new(dns.Msg).SetReply(question), to, dnsPort), false},
		"over TCP":      {tcp, false},
		"cut":           {whole[:25], false},
		"cut message":   {whole[:34], false},
		"nothing":       {nil, false},
		"short header":  {append([]byte{4<<4 | 1}, whole[1:]...), false},
		"header beyond": {append([]byte{4<<4 | 15}, whole[1:40]...), false},
	} {
		q, is := questionIn(tc.packet, to)
		if is != tc.is {
			t.Errorf("%s: %v, want %v", name, is, tc.is)
		}
		if is && (q.From != from || q.String() != "AAAA a.example.") {
			t.Errorf("%s: %s from %s", name, q, q.From)
		}
	}
}

func TestListenRefusesOtherThanIPv4(t *testing.T) {
	if _, err := Listen(netip.MustParseAddr("::1")); err == nil {
		t.Error("no error")
	}
}
