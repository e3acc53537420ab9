// Package hostile makes packets such as a DNS server receives: questions in all forms, and
// corrupted questions.
//
//	packet := hostile.Spoil(random, hostile.Question(random, names))
//	if !hostile.IsQuestion(packet) {
//		// The server must not answer it.
//	}
package hostile

import (
	"math/rand/v2"
	"net"

	"github.com/miekg/dns"
)

// Types are the query types of the questions. The first three are those that stub resolvers
// search for.
var Types = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypePTR, dns.TypeTXT, dns.TypeSOA, dns.TypeNS, dns.TypeCNAME, dns.TypeMX, dns.TypeANY,
	dns.TypeDS, dns.TypeHTTPS, dns.TypeAXFR, dns.TypeHINFO, 65280, 0,
}

// Question returns a question in wire form for one of the names, plain or with optional
// parts. It panics if the question cannot be packed, as with an invalid name.
func Question(random *rand.Rand, names []string) []byte {
	m := new(dns.Msg).SetQuestion(names[random.IntN(len(names))], Types[random.IntN(len(Types))])
	m.RecursionDesired = random.IntN(4) > 0
	m.CheckingDisabled = random.IntN(4) == 0
	m.AuthenticatedData = random.IntN(4) == 0
	if random.IntN(2) == 0 {
		addOPT(random, m)
	}
	wire, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

func addOPT(random *rand.Rand, m *dns.Msg) {
	m.SetEdns0([]uint16{0, 100, 512, 600, 1232, 4096, 65535}[random.IntN(7)], random.IntN(2) == 0)
	o := m.IsEdns0()
	if random.IntN(3) == 0 {
		o.Option = append(o.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"})
	}
	if random.IntN(5) == 0 {
		o.Option = append(o.Option, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("x")})
	}
	if random.IntN(5) == 0 {
		o.Option = append(o.Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IPv4(192, 0, 2, 0)})
	}
	if random.IntN(8) == 0 {
		o.SetVersion(1)
	}
	if random.IntN(8) == 0 {
		o.SetZ(uint16(random.Uint32()))
	}
}

// headerSize is the size of a message header (RFC 1035 4.1.1).
const headerSize = 12

// Spoil corrupts a question: it cuts it, repeats it, or changes octets at random or with
// intent.
func Spoil(random *rand.Rand, packet []byte) []byte {
	switch random.IntN(7) {
	case 0:
		return packet[:random.IntN(len(packet)+1)]
	case 1:
		return append(packet, packet[random.IntN(len(packet)):]...)
	case 2:
		for i := range packet {
			packet[i] = byte(random.Uint32())
		}
	case 3:
		packet[2+random.IntN(headerSize-2)] ^= 1 << random.IntN(8)
	case 4:
		packet[headerSize] = 0xc0 // a compression pointer in place of the name
	case 5:
		packet[2] |= 0x80 // a reply, otherwise like a question
	default:
		for range 1 + random.IntN(3) {
			packet[random.IntN(len(packet))] ^= 1 << random.IntN(8)
		}
	}
	return packet
}

// IsQuestion reports whether a packet may get a reply, if only an error: it has a whole
// header and is not a reply itself (RFC 1035 4.1.1).
func IsQuestion(packet []byte) bool { return len(packet) >= headerSize && packet[2]&0x80 == 0 }
