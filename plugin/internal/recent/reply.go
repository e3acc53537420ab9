package recent

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/miekg/dns"
)

// Sizes of a message's parts (RFC 1035 4.1).
const (
	headerSize   = 12
	questionTail = 4 // type and class, which follow the name
	pointerSize  = 2
	recordFixed  = 10 // type, class, TTL and data length, which follow a record's owner

	// maxReply is the size of the longest reply that is kept. Longer ones are rare, and cost
	// the chain little more than their copy.
	maxReply = 4096
	// maxRun is no less than the number of addresses in the longest reply.
	maxRun = maxReply / (1 + recordFixed)
)

// Reply is a reply of CoreDNS's cache.
type Reply struct {
	NXDomain bool
	Denial   bool // the cache counts it as a denial
	Size     int  // without compression and the OPT record, as CoreDNS's metrics count it

	wire       []byte
	end        int        // offset of the end of the question section
	ttl        uint32     // the lowest
	fresh      bool       // the cache did not have it, and has it with this TTL now, if at all
	compressed bool       // so pointers depend on the letter case of the question
	runs       [][]uint16 // offsets of addresses that follow each other, and of the end of the last
	fixed      bool       // pointers may lead into a run
}

// of returns the reply for a message and its wire form, which it copies. It reports false if the
// message must not be kept: it is cut, fails, has no lasting record, or the cache cannot
// have had it.
func of(m *dns.Msg, wire []byte) (*Reply, bool) {
	nx := m.Rcode == dns.RcodeNameError
	if m.Truncated || m.Rcode != dns.RcodeSuccess && !nx || len(m.Question) != 1 || len(wire) < headerSize || len(wire) > maxReply {
		return nil, false
	}
	denial, ok := isDenial(m)
	if !ok {
		return nil, false
	}
	r := &Reply{NXDomain: nx, Denial: denial, compressed: m.Compress, wire: bytes.Clone(wire)}
	r.Size = uncompressedSize(m)
	return r, r.scan() && r.ttl > 0
}

// isDenial reports whether the plugin cache counts a message as a denial. It reports false for ok
// if the cache does not keep such a message, or if that cannot be told without following aliases.
func isDenial(m *dns.Msg) (denial, ok bool) {
	hasSOA := hasType(m.Ns, dns.TypeSOA)
	switch {
	case m.Rcode == dns.RcodeNameError:
		return true, hasSOA && len(m.Answer) == 0
	case !hasSOA:
		return false, true
	}
	return true, !hasType(m.Answer, m.Question[0].Qtype)
}

func hasType(section []dns.RR, rrtype uint16) bool {
	for _, rr := range section {
		if rr.Header().Rrtype == rrtype {
			return true
		}
	}
	return false
}

// uncompressedSize returns the size of a message before CoreDNS adds an OPT record and
// compresses what is too long.
func uncompressedSize(m *dns.Msg) int {
	plain := *m
	plain.Compress = false
	size := plain.Len()
	if opt := m.IsEdns0(); opt != nil {
		size -= dns.Len(opt)
	}
	return size
}

// scan finds the lowest TTL and the runs of addresses. It reports false if the wire form is not
// what it expects.
func (r *Reply) scan() bool {
	size, ok := nameSize(r.wire[headerSize:])
	if r.end = headerSize + size + questionTail; !ok || r.end > len(r.wire) {
		return false
	}
	s := scanner{reply: r, at: r.end}
	for i := range 3 {
		if !s.section(int(binary.BigEndian.Uint16(r.wire[6+2*i:]))) {
			return false
		}
	}
	return s.records > 0 && s.at == len(r.wire)
}

// scanner reads the records of a reply.
type scanner struct {
	reply   *Reply
	at      int
	records int // without OPT
	kind    runKind
	run     []uint16
	named   bool // a record of the run has a name, which others may point to
}

// runKind is what the records of a run have in common. The plugin loadbalance puts the records
// of a kind behind each other, and changes their order.
type runKind uint8

const (
	noRun runKind = iota
	addresses
	exchangers
)

func kindOf(rrtype uint16) runKind {
	switch rrtype {
	case dns.TypeA, dns.TypeAAAA:
		return addresses
	case dns.TypeMX:
		return exchangers
	}
	return noRun
}

func (s *scanner) section(count int) bool {
	for range count {
		if !s.record() {
			return false
		}
	}
	s.endRun(noRun)
	return true
}

func (s *scanner) record() bool {
	wire := s.reply.wire
	size, ok := nameSize(wire[s.at:])
	fixed := s.at + size
	if !ok || fixed+recordFixed > len(wire) {
		return false
	}
	rrtype, ttl := binary.BigEndian.Uint16(wire[fixed:]), binary.BigEndian.Uint32(wire[fixed+4:])
	kind := kindOf(rrtype)
	if kind != s.kind {
		s.endRun(kind)
	}
	if kind != noRun {
		s.run = append(s.run, uint16(s.at))
		s.named = s.named || kind == exchangers || size > pointerSize
	}
	if rrtype != dns.TypeOPT {
		if s.records++; s.records == 1 || ttl < s.reply.ttl {
			s.reply.ttl = ttl
		}
	}
	s.at = fixed + recordFixed + int(binary.BigEndian.Uint16(wire[fixed+8:]))
	return s.at <= len(wire)
}

// endRun ends a run before a record of another kind. CoreDNS changes the order of answers only,
// not that of denials.
func (s *scanner) endRun(next runKind) {
	if len(s.run) > 1 && !s.reply.NXDomain {
		s.reply.runs = append(s.reply.runs, append(s.run, uint16(s.at)))
		s.reply.fixed = s.reply.fixed || s.named && s.reply.compressed
	}
	s.kind, s.run, s.named = next, nil, false
}

// nameSize returns the size of the name at the beginning of some octets, which may end in a
// compression pointer.
func nameSize(p []byte) (int, bool) {
	for i := 0; i < len(p); i += 1 + int(p[i]) {
		switch {
		case p[i] == 0:
			return i + 1, true
		case p[i] >= 0xC0:
			return i + pointerSize, true
		}
	}
	return 0, false
}

// Fixed reports whether the order of records cannot be changed, although the plugin loadbalance
// would: pointers may lead into them.
func (r *Reply) Fixed() bool { return r.fixed }

// suits reports whether the reply to a question is this one but for ID and letter case. The
// question is for the same name.
func (r *Reply) suits(packet []byte) bool {
	return !r.compressed || bytes.Equal(packet[headerSize:r.end], r.wire[headerSize:r.end])
}

// Append appends the reply to a question. Addresses are in random order unless random is nil.
func (r *Reply) Append(out, packet []byte, random rand.Source) []byte {
	start, at := len(out), 0
	if random != nil {
		for _, run := range r.runs {
			out = append(out, r.wire[at:run[0]]...)
			out = r.shuffle(out, run, random)
			at = int(run[len(run)-1])
		}
	}
	out = append(out, r.wire[at:]...)
	copy(out[start:], packet[:2])
	copy(out[start+headerSize:], packet[headerSize:r.end])
	return out
}

// shuffle appends the records of a run in random order.
func (r *Reply) shuffle(out []byte, run []uint16, random rand.Source) []byte {
	var order [maxRun]uint16
	count := len(run) - 1
	for i := range count {
		j := int(random.Uint64() % uint64(i+1))
		order[i], order[j] = order[j], uint16(i)
	}
	for _, i := range order[:count] {
		out = append(out, r.wire[run[i]:run[i+1]]...)
	}
	return out
}
