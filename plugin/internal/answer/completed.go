package answer

import (
	"encoding/binary"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/miekg/dns"
)

// AppendCompleted appends the sections behind a question that stands for another name:
// an alias to that name, of which the first base octets are those of the question's,
// and what is there. Neither the alias nor an absence is to be kept for longer than
// maxTTL, in seconds.
//
// It fails for what it does not know, which is all but addresses, and for an answer
// that has no room.
func AppendCompleted(msg []byte, v *resolve.View, s *cluster.Snapshot, q, target *Question, base int, maxTTL uint32, limits Limits, out *Encoded) ([]byte, bool) {
	o := v.Origin(target.Name())
	if o == nil || !s.Synced() || q.Type != dns.TypeA && q.Type != dns.TypeAAAA {
		return msg, false
	}
	target.Type = q.Type
	var m resolve.Match
	v.LocateInto(&m, s, target.Name(), o)
	if m.Kind == resolve.AtAlias || m.Kind == resolve.AtAddress {
		return msg, false
	}
	*out = Encoded{UncompressedSize: len(msg)}
	w := wireSink{view: v, question: target, zone: o, serial: s.Serial(), msg: msg, maxTTL: maxTTL, out: out}
	w.alias(base)
	w.out.UncompressedSize += len(q.Name().Wire()) - pointerSize
	t := visit{view: v, zone: o, qtype: q.Type, limits: &limits, free: limits.Size - limits.Reserved - len(w.msg), wire: &w}
	switch t.asked(s, &m) {
	case toldUnable:
		return msg, false
	case toldSome:
		out.Result = resolve.Success
		return w.msg, !out.Truncated
	}
	*out = Encoded{UncompressedSize: len(msg)}
	w = wireSink{view: v, question: q, zone: v.Origin(q.Name()), serial: s.Serial(), msg: msg, at: headerSize, maxTTL: maxTTL, out: out}
	w.negative(resolve.NoData)
	return w.msg, true
}

// alias writes a record that leads from the name at the beginning of the message to
// the writer's question, the first octets of which are there too. It is the owner of
// all that follows.
func (w *wireSink) alias(base int) {
	start := len(w.msg)
	w.at = headerSize
	w.owner()
	w.head(dns.TypeCNAME, min(w.view.TTL, w.maxTTL))
	name := w.question.Name().Wire()
	w.msg = binary.BigEndian.AppendUint16(w.msg, uint16(len(name)))
	w.at = len(w.msg)
	w.msg = append(w.msg, w.msg[headerSize:headerSize+base]...) // as the client spelled it
	w.msg = append(w.msg, name[base:]...)
	w.out.Answers++
	w.out.UncompressedSize += len(w.msg) - start
}
