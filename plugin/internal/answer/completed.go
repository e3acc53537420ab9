package answer

import (
	"encoding/binary"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/miekg/dns"
)

// AppendCompleted appends the sections after a question that stands for another name: an
// alias to that name, which shares its first base octets with the question's name, and the
// name's records. Neither the alias nor a negative answer has a TTL above maxTTL, in
// seconds.
//
// It reports false for all types but addresses, and for an answer that does not fit.
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

// alias writes a record that leads from the question's name, at the beginning of the
// message, to the name of the writer's question. The two share their first octets. The
// target becomes the owner of all records that follow.
func (w *wireSink) alias(base int) {
	start := len(w.msg)
	w.at = headerSize
	w.owner()
	w.head(dns.TypeCNAME, min(w.view.TTL, w.maxTTL))
	name := w.question.Name().Wire()
	w.msg = binary.BigEndian.AppendUint16(w.msg, uint16(len(name)))
	w.at = len(w.msg)
	w.msg = append(w.msg, w.msg[headerSize:headerSize+base]...) // with the client's spelling
	w.msg = append(w.msg, name[base:]...)
	w.out.Answers++
	w.out.UncompressedSize += len(w.msg) - start
}
