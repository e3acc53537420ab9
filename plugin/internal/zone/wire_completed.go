package zone

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Presence says what is at a question's name, whatever the type: Success if there is
// something that AppendCompleted may know, NXDomain if there is nothing, OutOfZone, or
// Delegate for what only Lookup and those it leads to can tell. Nothing is allocated.
func (v *View) Presence(s *cluster.Snapshot, q *Question) Result {
	o := v.origin(q.Name())
	if o == nil {
		return OutOfZone
	}
	switch p := v.locate(s, q.Name(), o); p.kind {
	case nowhere:
		return NXDomain
	case atAlias, atAddress, atOther:
		return Delegate
	}
	return Success
}

// AppendCompleted appends the sections behind a question that stands for another name:
// an alias to that name, of which the first base octets are those of the question's,
// and what is there. Neither the alias nor an absence is to be kept for longer than
// maxTTL, in seconds.
//
// It fails for what it does not know, which is all but addresses, and for an answer
// that has no room.
func (v *View) AppendCompleted(msg []byte, s *cluster.Snapshot, q, target *Question, base int, maxTTL uint32, room Room) ([]byte, Wire, bool) {
	o := v.origin(target.Name())
	if o == nil || !s.Synced() || q.Type != dns.TypeA && q.Type != dns.TypeAAAA {
		return msg, Wire{}, false
	}
	target.Type = q.Type
	p := v.locate(s, target.Name(), o)
	w := writer{view: v, snapshot: s, question: target, origin: o, room: room, msg: msg, maxTTL: maxTTL}
	var buf [maxLabelled * 16]byte
	packed, ok := p.packed(q.Type, v.PodNames, buf[:0])
	if !ok {
		return msg, Wire{}, false
	}
	if len(packed) == 0 {
		w.question, w.origin, w.at = q, v.origin(q.Name()), headerSize
		w.negative(NoData)
		return w.msg, w.wire, true
	}
	w.alias(base)
	w.write(packed, addressSize(q.Type))
	w.wire.Answers++
	w.wire.Plain += len(q.Name().Wire()) - pointerSize
	return w.msg, w.wire, !w.wire.Truncated
}

// pointerSize is that of a compression pointer (RFC 1035 4.1.4).
const pointerSize = 2

// alias writes a record that leads from the name at the beginning of the message to
// the writer's question, the first octets of which are there too. It is the owner of
// all that follows.
func (w *writer) alias(base int) {
	ttl := min(w.view.TTL, w.maxTTL)
	w.at = headerSize
	w.owner()
	w.head(dns.TypeCNAME, ttl)
	name := w.question.Name().Wire()
	w.msg = binary.BigEndian.AppendUint16(w.msg, uint16(len(name)))
	w.at = len(w.msg)
	w.msg = append(w.msg, w.msg[headerSize:headerSize+base]...) // as the client spelled it
	w.msg = append(w.msg, name[base:]...)
}
