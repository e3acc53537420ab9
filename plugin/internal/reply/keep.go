package reply

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Keep says where and when replies of CoreDNS's cache to a server block's questions are kept.
type Keep struct {
	Table *recent.Table
	Block uint32 // number of the server block, for it may share its table
	// Prefetch is the property of CoreDNS's cache, which must see what it needs for that.
	Prefetch recent.Prefetch
}

const (
	// maxKey is the size of the longest key: number of the block, type, flags, size, and name.
	maxKey = 4 + 2 + 2 + 2 + dnsname.MaxWire

	flagAD = 1 << 5
	// flagsKept are the flags of a question that its reply depends on.
	flagsKept = flagRD | flagAD | flagCD
)

// Marks in the flags of a key, where a question that is kept has no other bits.
const (
	keyIPv6 = 1 << 15
	keyEDNS = 1 << 14
	keyDO   = 1 << 13
	keyTCP  = 1 << 12 // or another stream: CoreDNS cuts nothing, and repeats the size in the OPT record
)

// At says when the next packets arrived. Before it is called, no kept reply is given.
func (r *Responder) At(now time.Time) { r.now = now }

// Want makes a slot take CoreDNS's reply to the last packet, if that may be kept. It reports
// whether it may.
func (r *Responder) Want(s *recent.Slot) bool {
	if r.keeps {
		s.Want(r.now, r.fresh)
	}
	return r.keeps
}

// keeps reports whether replies to a client's question are kept. What another plugin may make of an
// answer without addresses is not the cache's reply. Over a stream CoreDNS repeats flags of the OPT
// record that over UDP are cleared.
func (b *Block) keeps(client netip.Addr, q *query) bool {
	if q.stream && q.edns && q.bits&^flagDO != 0 {
		return false
	}
	return b.Keep != nil && q.flags&^flagsKept == 0 && b.isOutside(&q.question) &&
		(b.Synthesized == nil || !b.Synthesized(q.question.Type, client))
}

// appendKey appends all that CoreDNS's reply to a question depends on, but for the letter case. A
// reply that is too long is compressed, and what is too long depends on the family of the
// client's address.
func (b *Block) appendKey(key []byte, client netip.Addr, q *query) []byte {
	flags, size := q.flags, uint16(0)
	if client.Is6() {
		flags |= keyIPv6
	}
	if q.stream {
		flags |= keyTCP
	}
	if q.edns {
		flags, size = flags|keyEDNS, q.size
		if q.bits&flagDO != 0 {
			flags |= keyDO
		}
	}
	key = binary.BigEndian.AppendUint32(key, b.Keep.Block)
	key = binary.BigEndian.AppendUint16(key, q.question.Type)
	key = binary.BigEndian.AppendUint16(key, flags)
	key = binary.BigEndian.AppendUint16(key, size)
	return append(key, q.question.Wire()...)
}

// repeat appends the kept reply to a question, or hands the question over.
func (r *Responder) repeat(b *Block, client netip.Addr, packet, out []byte) ([]byte, Verdict) {
	q := &r.query
	kept := b.Keep.Table.Find(b.appendKey(r.key[:0], client, q), packet, r.now)
	if kept == nil {
		r.keeps, r.fresh = true, b.Keep.Prefetch.Hits > 0
		return out, b.handOverAs(&q.question)
	}
	r.wire = answer.Encoded{Result: resolve.Success, UncompressedSize: kept.Size}
	if kept.NXDomain {
		r.wire.Result = resolve.NXDomain
	}
	r.record(b, client, packet)
	r.last.Answered.Source = FromCache
	if kept.Denial {
		r.last.Answered.Source = FromCacheDenials
	}
	var random rand.Source
	if b.Shuffle {
		random = r.random
	}
	return kept.Append(out, packet, random), Answer
}

// Keep keeps the reply of CoreDNS's cache to a client's packet, which came at a time. The client's
// address is not IPv4-mapped.
func (z Zones) Keep(client netip.Addr, packet []byte, r *recent.Reply, at time.Time) {
	z.keep(&query{}, client, packet, r, at)
}

// KeepStream is Keep for transports other than plain UDP.
func (z Zones) KeepStream(client netip.Addr, packet []byte, r *recent.Reply, at time.Time) {
	z.keep(&query{stream: true}, client, packet, r, at)
}

func (z Zones) keep(q *query, client netip.Addr, packet []byte, r *recent.Reply, at time.Time) {
	if q.parse(packet) != Answer || q.stream && q.isPadded() {
		return
	}
	b := z.route(&q.question)
	if b == nil || b.mustHandOver(client, q) || !b.keeps(client, q) || b.Shuffle && r.Fixed() || b.NoDenials && r.Denial {
		return
	}
	b.Keep.Table.Keep(b.appendKey(nil, client, q), r, at, b.Keep.Prefetch)
}
