package reply

import (
	"encoding/binary"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
)

// Sizes of a message's parts (RFC 1035 4.1, RFC 6891 6.1.2).
const (
	HeaderSize   = 12
	questionTail = 4  // type and class, which follow the name
	optSize      = 11 // an OPT record without options

	// PacketSize is the longest question that we read, and the size that replies announce
	// (RFC 6891 6.2.3). Any network carries it without fragmentation. CoreDNS reads 512
	// octets, which are too few for a padded question (RFC 7830).
	PacketSize = 1232
)

// Bits of the second word of a header (RFC 1035 4.1.1, RFC 4035 3.1.6).
const (
	flagQR = 1 << 15
	flagAA = 1 << 10
	flagTC = 1 << 9
	flagRD = 1 << 8
	flagCD = 1 << 4

	opcodeMask = 15 << 11
)

// flagDO is the bit of the OPT record's TTL that asks for DNSSEC records. It is the only one
// that replies repeat (RFC 3225 3, RFC 6891 6.1.4).
const flagDO = 1 << 15

// chainFlags are the bits of the OPT record's TTL that CoreDNS repeats.
const chainFlags = 0xff00

// Verdict says what becomes of a packet.
type Verdict uint8

// The verdicts.
const (
	Ignore   Verdict = iota // it is not a question: nothing is sent back
	HandOver                // CoreDNS gets it
	Outside                 // CoreDNS gets it, and may have the answer in its cache
	Answer                  // the Responder has answered it
)

// query is a parsed question. Its memory is used again.
type query struct {
	question answer.Question
	flags    uint16
	end      int // offset of the end of the question section
	edns     bool
	size     uint16 // the longest datagram that the client accepts
	stream   bool   // no size of a datagram limits the reply
	bits     uint16 // flags of the OPT record
	options  [maxOptions]uint16
	count    int // number of options
}

// maxOptions is the largest number of EDNS options in a question that we answer.
const maxOptions = 8

// parse parses a message. It hands over everything but a plain question.
func (q *query) parse(p []byte) Verdict {
	if len(p) < HeaderSize {
		return Ignore
	}
	q.flags = binary.BigEndian.Uint16(p[2:])
	if q.flags&flagQR != 0 {
		return Ignore
	}
	additional := p[11]
	// One question, no answer, no authority, and perhaps one additional record.
	if q.flags&opcodeMask != 0 || binary.BigEndian.Uint64(p[4:])&^1 != 1<<48 || additional > 1 {
		return HandOver
	}
	size, ok := q.question.Parse(p[HeaderSize:])
	q.end = HeaderSize + size + questionTail
	if !ok || q.end > len(p) || binary.BigEndian.Uint16(p[q.end-2:]) != dns.ClassINET {
		return HandOver
	}
	q.question.Type = binary.BigEndian.Uint16(p[q.end-questionTail:])
	if q.edns = additional == 1; q.edns {
		return q.parseOPT(p[q.end:])
	}
	if q.end < len(p) {
		return HandOver
	}
	return Answer
}

// isPadded reports whether a question has padding (RFC 7830).
func (q *query) isPadded() bool {
	return q.edns && slices.Contains(q.options[:q.count], dns.EDNS0PADDING)
}

// isStubs reports whether a stub resolver may have asked the question for a searched name: it
// asks for recursion, and does not check signatures by itself. No zone here is signed.
func (q *query) isStubs() bool { return q.flags&flagRD != 0 && q.flags&flagCD == 0 }

// parseOPT parses the rest of a message, which must be one OPT record of version 0 (RFC 6891
// 6.1.2).
func (q *query) parseOPT(p []byte) Verdict {
	if len(p) < optSize || p[0] != 0 || binary.BigEndian.Uint16(p[1:]) != dns.TypeOPT || p[6] != 0 {
		return HandOver
	}
	q.size, q.bits = binary.BigEndian.Uint16(p[3:]), binary.BigEndian.Uint16(p[7:])
	if int(binary.BigEndian.Uint16(p[9:])) != len(p)-optSize {
		return HandOver
	}
	q.count = 0
	for p = p[optSize:]; len(p) > 0; {
		if len(p) < 4 || q.count == maxOptions {
			return HandOver
		}
		code, size := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
		if len(p) < 4+size || !anyForm(code) {
			return HandOver
		}
		q.options[q.count] = code
		q.count++
		p = p[4+size:]
	}
	return Answer
}

// anyForm reports whether miekg/dns accepts an EDNS option with any data. Other options could
// make the message malformed, which CoreDNS then decides.
func anyForm(code uint16) bool {
	switch code {
	case dns.EDNS0NSID, dns.EDNS0COOKIE, dns.EDNS0PADDING, dns.EDNS0ZONEVERSION:
		return true
	}
	return code > lastKnownOption
}

// lastKnownOption is no less than the last option whose data miekg/dns checks.
const lastKnownOption = 20
