package reply

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/miekg/dns"
)

var errSeveralOPT = errors.New("a message has one OPT record at most") // RFC 6891 6.1.1

// Unpack unpacks a message for CoreDNS. It leaves out the empty ZONEVERSION option with which
// clients ask for a zone's version (RFC 9660 2), because miekg/dns takes it for malformed. With an
// error it returns what could be unpacked.
func Unpack(packet []byte) (*dns.Msg, error) {
	m := new(dns.Msg)
	err := m.Unpack(packet)
	if err == nil {
		if countOPT(m) > 1 {
			err = errSeveralOPT
		}
		return m, err
	}
	if cleaned, ok := withoutOption(packet, dns.EDNS0ZONEVERSION); ok {
		again := new(dns.Msg)
		if again.Unpack(cleaned) == nil {
			return again, nil
		}
	}
	return m, err
}

func countOPT(m *dns.Msg) int {
	count := 0
	for _, rr := range m.Extra {
		if rr.Header().Rrtype == dns.TypeOPT {
			count++
		}
	}
	return count
}

// withoutOption returns a plain question without an EDNS option. It reports false if the
// question has no such option.
func withoutOption(packet []byte, code uint16) ([]byte, bool) {
	var q query
	if q.parse(packet) != Answer || !q.edns || !slices.Contains(q.options[:q.count], code) {
		return nil, false
	}
	begin := q.end + optSize
	cleaned := slices.Clone(packet[:begin])
	for p := packet[begin:]; len(p) > 0; {
		size := 4 + int(binary.BigEndian.Uint16(p[2:]))
		if binary.BigEndian.Uint16(p) != code {
			cleaned = append(cleaned, p[:size]...)
		}
		p = p[size:]
	}
	binary.BigEndian.PutUint16(cleaned[begin-2:], uint16(len(cleaned)-begin))
	return cleaned, true
}
