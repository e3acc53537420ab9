package reply

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

const (
	// minSize is the reply size that every client accepts (RFC 1035 4.2.1).
	minSize = 512
	// MaxSize is the longest message that fits into a UDP packet over IPv4.
	MaxSize = 65507
)

// Responder answers packets, one at a time.
type Responder struct {
	query  query
	target answer.Question // the name that the search path completes the question to
	wire   answer.Encoded
	random *rand.PCG
	last   Counted

	now   time.Time
	key   [maxKey]byte
	keeps bool
	fresh bool // replies that CoreDNS's cache does not have are kept, but not given
}

// Counted is an answer that is counted once it is sent.
type Counted struct {
	Answered Answered
	Meter    Meter // may be nil
}

// NewResponder returns a responder, which one goroutine may use at a time.
func NewResponder() *Responder {
	return &Responder{random: rand.NewPCG(rand.Uint64(), rand.Uint64())}
}

// Respond appends the answer to a client's packet to out. Nothing is allocated if out has room for
// the longest answer and for a few records more. It appends nothing if the packet is handed over or ignored. The client's address
// is not IPv4-mapped.
func (r *Responder) Respond(zones Zones, client netip.Addr, packet, out []byte) ([]byte, Verdict) {
	r.query.stream = false
	return r.respond(zones, client, packet, out)
}

// RespondStream is Respond for transports other than plain UDP: the answer may have the size of the
// longest message, and its OPT record is the one of CoreDNS, which repeats the client's. A question
// with padding is handed over, since its answer may need padding (RFC 7830 4).
func (r *Responder) RespondStream(zones Zones, client netip.Addr, packet, out []byte) ([]byte, Verdict) {
	r.query.stream = true
	return r.respond(zones, client, packet, out)
}

func (r *Responder) respond(zones Zones, client netip.Addr, packet, out []byte) ([]byte, Verdict) {
	q := &r.query
	r.keeps = false
	if v := q.parse(packet); v != Answer {
		return out, v
	}
	if q.stream && q.isPadded() {
		return out, HandOver
	}
	block := zones.route(&q.question)
	if block == nil || block.mustHandOver(client, q) {
		return out, HandOver
	}
	start := len(out)
	snapshot := block.Store.Load()
	var c Completion
	takes := q.size
	q.size = block.replySize(client, q)
	out, ok := r.write(block, snapshot, packet, out, &c)
	if !ok || block.declines(client, &q.question, r.wire.Result) {
		if q.size = takes; block.keeps(client, q) {
			return r.repeat(block, client, packet, out[:start])
		}
		return out[:start], block.handOverAs(&q.question)
	}
	if r.wire.Result == resolve.NXDomain && block.Search != nil && q.isStubs() {
		if c = block.Search.Complete(snapshot, client, &q.question, &r.target); c.Outcome == searchpath.Inside {
			out, ok = r.write(block, snapshot, packet, out[:start], &c)
		}
		if !ok || c.Outcome == searchpath.Ask || block.NoDenials && r.wire.Result != resolve.Success {
			return out[:start], HandOver
		}
	}
	r.record(block, client, packet)
	r.last.Answered.Completion = c
	return out, Answer
}

// Last returns the last answer, which the next one overwrites.
func (r *Responder) Last() *Counted { return &r.last }

// route returns the server block whose zone matches a question best, or nil if CoreDNS
// answers for it.
func (z Zones) route(q *answer.Question) *Block {
	for i := range z {
		if z[i].Origin.Encloses(q.Name()) {
			return z[i].Block.of(q)
		}
	}
	return nil
}

// of returns the block of the handler that has the name.
func (b *Block) of(q *answer.Question) *Block {
	if b == nil {
		return nil
	}
	for _, other := range b.Beside {
		if other.View.Origin(q.Name()) != nil {
			return other
		}
	}
	return b
}

// mustHandOver reports whether a question is CoreDNS's whatever the answer is.
func (b *Block) mustHandOver(client netip.Addr, q *query) bool {
	if q.edns && b.Supported != nil {
		for _, code := range q.options[:q.count] {
			if b.Supported(code) {
				return true
			}
		}
	}
	return b.Elsewhere.Enclose(q.question.Name()) || b.Claimed != nil && b.Claimed(&q.question, client)
}

// replySize returns the longest datagram to a client that says which size it accepts.
func (b *Block) replySize(client netip.Addr, q *query) uint16 {
	switch takes := q.size; {
	case b.MaxSize > 0:
		return min(takes, b.MaxSize)
	case takes > ForeignSize && !q.stream && !IsOwnNetwork(client):
		return ForeignSize
	default:
		return takes
	}
}

// declines reports whether CoreDNS must give an answer with this result, since another plugin
// may have a better one.
func (b *Block) declines(client netip.Addr, q *answer.Question, r resolve.Result) bool {
	switch {
	case r == resolve.Success:
		return false
	case b.NoDenials:
		return true
	case r == resolve.NoData && b.Synthesized != nil:
		return b.Synthesized(q.Type, client)
	case r != resolve.NXDomain:
		return false
	}
	return b.NoSearch || b.Fallthrough.Enclose(q.Name())
}

// handOverAs returns how CoreDNS gets a question: the goroutine that reads asks CoreDNS itself
// if the cache may have the answer.
func (b *Block) handOverAs(q *answer.Question) Verdict {
	if b.Cache && b.isOutside(q) {
		return Outside
	}
	return HandOver
}

// isOutside reports whether a question is for a name outside the view.
func (b *Block) isOutside(q *answer.Question) bool {
	return !answer.MetaType(q.Type) && b.View.Origin(q.Name()) == nil
}

// write appends the whole reply. It copies header and question from the packet.
func (r *Responder) write(b *Block, s *cluster.Snapshot, packet, out []byte, c *Completion) ([]byte, bool) {
	q := &r.query
	start := len(out)
	// Compression pointers count from the beginning of the message, not of the buffer.
	msg := append(out[start:], packet[:q.end]...)
	limits := q.limits()
	limits.Shuffle, limits.Random = b.Shuffle, r.random
	msg, ok := r.sections(b, s, msg, limits, c)
	if !ok {
		return out, false
	}
	if q.edns {
		msg = q.appendOPT(msg)
		r.wire.Extra++
	}
	putHeader(msg, q.flags, &r.wire)
	return place(out, msg), true
}

// place returns out with a message that was appended behind it. Before an answer is cut to its
// size it may need more memory than out has, and then it has moved.
func place(out, msg []byte) []byte {
	if start := len(out); cap(out) > start && &out[:start+1][start] == &msg[0] {
		return out[:start+len(msg)]
	}
	return append(out, msg...)
}

// sections appends the answer, authority and additional sections.
func (r *Responder) sections(b *Block, s *cluster.Snapshot, msg []byte, limits answer.Limits, c *Completion) ([]byte, bool) {
	if c.Outcome == searchpath.Inside {
		return answer.AppendCompleted(msg, b.View, s, &r.query.question, &r.target, c.Base, b.Search.MaxTTL(), limits, &r.wire)
	}
	return answer.AppendWire(msg, b.View, s, &r.query.question, limits, &r.wire)
}

// limits returns the limits of the reply.
func (q *query) limits() (l answer.Limits) {
	l.Size = minSize
	if q.edns {
		l.Size, l.Reserved = min(max(minSize, int(q.size)), MaxSize), optSize
	}
	if q.stream {
		l.Size = dns.MaxMsgSize
	}
	return l
}

func (q *query) appendOPT(msg []byte) []byte {
	size, bits := uint16(PacketSize), q.bits&flagDO
	if q.stream {
		size, bits = q.size, q.bits&chainFlags
	}
	return append(msg, 0, 0, byte(dns.TypeOPT), byte(size>>8), byte(size), 0, 0, byte(bits>>8), byte(bits), 0, 0)
}

// putHeader turns the header of a question into the header of its answer.
func putHeader(msg []byte, asked uint16, wire *answer.Encoded) {
	flags := flagQR | flagAA | asked&(flagRD|flagCD)
	if wire.Truncated {
		flags |= flagTC
	}
	flags |= uint16(rcodeOf(wire.Result))
	binary.BigEndian.PutUint16(msg[2:], flags)
	binary.BigEndian.PutUint16(msg[6:], wire.Answers)
	binary.BigEndian.PutUint16(msg[8:], wire.Authority)
	binary.BigEndian.PutUint16(msg[10:], wire.Extra)
}

// rcodeOf returns the response code of a result that is answered here.
func rcodeOf(r resolve.Result) int {
	if r == resolve.NXDomain {
		return dns.RcodeNameError
	}
	return dns.RcodeSuccess
}

// record remembers what the meters count once the answer is sent, and tells who has asked what.
func (r *Responder) record(b *Block, client netip.Addr, packet []byte) {
	q := &r.query
	r.last.Meter = b.meter(&q.question)
	r.last.Answered = Answered{
		Result: r.wire.Result,
		Kind:   r.wire.Kind,
		Type:   q.question.Type,
		IPv6:   client.Is6(),
		DO:     q.edns && q.bits&flagDO != 0,
		Size:   r.wire.UncompressedSize,
		Asked:  len(packet),
	}
	if b.Asked != nil {
		b.Asked(client, q.question.Name(), rcodeOf(r.wire.Result))
	}
}

func (b *Block) meter(q *answer.Question) Meter {
	for i := range b.Meters {
		if b.Meters[i].Origin.Encloses(q.Name()) {
			return b.Meters[i].Meter
		}
	}
	return nil
}
