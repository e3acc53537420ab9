package answer

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Question is a question in memory that is reused.
type Question struct {
	dnsname.WireName
	Type uint16
}

// Sizes of a message's parts (RFC 1035 4.1).
const (
	headerSize   = 12 // followed by the question's name
	questionTail = 4  // type and class
	recordFixed  = 10 // type, class, TTL and data length of a record
	pointerSize  = 2
	recordHead   = pointerSize + recordFixed // a record without its data, with a pointer as its owner
	srvFixed     = 6                         // data of an SRV record without the name
	soaTimers    = 5 * 4                     // after the names of an SOA record

	serviceLabels = 3 // labels of a Service's name below an origin
)

// pointerTo returns a compression pointer to an offset in the message (RFC 1035 4.1.4).
func pointerTo(at int) uint16 { return 0xC000 | uint16(at) }

// Encoded describes what AppendWire has appended to a message.
type Encoded struct {
	Result    resolve.Result
	Kind      resolve.NameKind
	Truncated bool
	Answers   uint16 // number of records in the answer section
	Authority uint16
	Extra     uint16

	// UncompressedSize is the size of the message as the handler would make it, without its
	// OPT record.
	UncompressedSize int
}

// AppendWire appends the sections after the question to a message that has a header and a
// question, with the records of Lookup. Owners are pointers to the question, which keeps
// its spelling.
//
// It reports false for what it does not support: aliases, delegations, transfers, and rare types. It
// allocates nothing but cached data for later questions, and a list of names for an address
// that has many. out is valid only if it reports true.
func AppendWire(msg []byte, v *resolve.View, s *cluster.Snapshot, q *Question, limits Limits, out *Encoded) ([]byte, bool) {
	o := v.Origin(q.Name())
	if o == nil || !v.Ready(s) || MetaType(q.Type) {
		return msg, false
	}
	var m resolve.Match
	if v.Locator == nil {
		v.LocateInto(&m, s, q.Name(), o)
	} else {
		m = v.Locator(s, q.Name(), o)
	}
	if m.IsAlias() || m.Kind == resolve.AtDelegation {
		return msg, false
	}
	*out = Encoded{Kind: m.Name, UncompressedSize: len(msg)}
	w := wireSink{view: v, question: q, zone: o, serial: s.Serial(), msg: msg, at: headerSize, maxTTL: soaMaxTTL, out: out}
	if v.LongSOA {
		w.maxTTL = math.MaxUint32
	}
	t := visit{view: v, zone: o, qtype: q.Type, limits: &limits, free: limits.Size - limits.Reserved - len(msg), wire: &w}
	if !t.tell(s, &m) {
		return msg, false
	}
	return w.msg, true
}

// MetaType reports whether a type is not a type of records, or one for which a server asks
// the parent zone first (RFC 4035 3.1.4.1).
func MetaType(qtype uint16) bool {
	return qtype == dns.TypeDS || qtype == dns.TypeOPT || qtype == 0 || qtype >= 128 && qtype <= 255
}

// wireSink writes records after a question.
type wireSink struct {
	view     *resolve.View
	question *Question
	zone     *resolve.Origin
	serial   uint32
	msg      []byte
	at       int    // offset of the owner's name
	maxTTL   uint32 // bound of TTLs, for records made from the view
	out      *Encoded
}

// success finishes an answer. The handler spells the name of a Service as we do only if the
// question has no capitals.
func (w *wireSink) success() bool {
	w.out.Result = resolve.Success
	return w.out.Extra == 0 || !w.question.HasUpper()
}

// negative writes the SOA record of a negative answer (RFC 2308 3).
func (w *wireSink) negative(r resolve.Result) {
	w.out.Result, w.out.Authority = r, 1
	w.soa()
}

func (w *wireSink) soaAnswer() {
	w.out.Answers = 1
	w.soa()
}

func (w *wireSink) soa() {
	soaNS, soaMbox := w.view.SOALabels()
	w.out.UncompressedSize += 3*len(w.zone.Wire()) + len(soaNS) + len(soaMbox) + recordFixed + soaTimers
	ttl := min(w.view.TTL, w.maxTTL)
	labels := w.zone.Labels()
	w.suffix(labels)
	w.head(dns.TypeSOA, ttl)
	at := len(w.msg)
	w.msg = append(append(w.msg, 0, 0), soaNS...)
	w.suffix(labels)
	w.msg = append(w.msg, soaMbox...)
	w.suffix(labels)
	msg := binary.BigEndian.AppendUint64(w.msg, uint64(w.serial)<<32|soaRefresh)
	msg = binary.BigEndian.AppendUint64(msg, soaRetry<<32|soaExpire)
	w.msg = binary.BigEndian.AppendUint32(msg, w.negativeTTL())
	w.size(at)
}

// negativeTTL returns how long a client may cache a negative answer (RFC 2308 4). For a
// name in the zone it is the zone's, however long; the TTL of the record bounds it.
func (w *wireSink) negativeTTL() uint32 {
	if w.maxTTL < soaMaxTTL {
		return min(w.view.TTL, w.maxTTL)
	}
	return w.view.TTL
}

// suffix writes the last labels of the question's name, as a pointer.
func (w *wireSink) suffix(labels int) {
	if labels == 0 {
		w.msg = append(w.msg, 0)
		return
	}
	w.msg = binary.BigEndian.AppendUint16(w.msg, pointerTo(headerSize+w.question.Name().Offset(labels)))
}

func (w *wireSink) owner() { w.msg = binary.BigEndian.AppendUint16(w.msg, pointerTo(w.at)) }

// head writes type, class and TTL of a record.
func (w *wireSink) head(rrtype uint16, ttl uint32) {
	w.msg = binary.BigEndian.AppendUint64(w.msg, uint64(rrtype)<<48|dns.ClassINET<<32|uint64(ttl))
}

// size fills in the length of the data whose two octets are at the offset.
func (w *wireSink) size(at int) {
	binary.BigEndian.PutUint16(w.msg[at:], uint16(len(w.msg)-at-2))
}

// answered counts a record of the answer section that begins at start.
func (w *wireSink) answered(start int) {
	w.out.Answers++
	w.out.UncompressedSize += len(w.msg) - start - pointerSize + len(w.question.Name().Wire())
}

// srv writes an SRV record and returns its size, unless that is more than free. The target
// is not compressed (RFC 2782), and its origin is spelled as in the question.
func (w *wireSink) srv(weight, port uint16, target *resolve.HostName, free int) int {
	start := len(w.msg)
	w.owner()
	w.head(dns.TypeSRV, w.view.TTL)
	at := len(w.msg)
	w.msg = append(w.msg, 0, 0, 0, 0, byte(weight>>8), byte(weight), byte(port>>8), byte(port))
	msg, ok := target.AppendWire(w.msg)
	end := headerSize + len(w.question.Name().Wire())
	w.msg = append(msg, msg[end-len(w.zone.Wire()):end]...)
	size := len(w.msg) - start
	switch {
	case !ok:
		return notTaken
	case len(w.msg)-at-2-srvFixed > dnsname.MaxWire:
		w.msg = w.msg[:start]
		return 0
	case size > free:
		w.msg = w.msg[:start]
		return noRoom
	}
	w.size(at)
	w.answered(start)
	return size
}

// extra writes an address record and returns its size, unless that is more than free. The
// name of the Service is that of the question. The owner is at the offset, if that is not 0;
// otherwise the handler's record may be shorter and fit where this one does not.
func (w *wireSink) extra(owner *resolve.HostName, a netip.Addr, at, free int) int {
	start, qtype := len(w.msg), addressType(a)
	msg, ok := owner.AppendEndpoint(w.msg)
	w.msg = msg
	service := serviceLabels + w.zone.Labels()
	plain := len(w.msg) - start + len(w.question.Name().Wire()) - w.question.Name().Offset(service)
	if plain > dnsname.MaxWire { // as the handler leaves it out
		w.msg = w.msg[:start]
		return 0
	}
	full := notTaken
	if at > 0 && at <= maxPointer {
		w.msg = binary.BigEndian.AppendUint16(w.msg[:start], pointerTo(at))
		full = noRoom
	} else {
		w.suffix(service)
	}
	w.head(qtype, w.view.TTL)
	w.msg = append(w.msg, 0, byte(addressSize(qtype)))
	w.msg = packAddr(w.msg, a)
	switch size := len(w.msg) - start; {
	case !ok:
		return notTaken
	case size > free:
		w.msg = w.msg[:start]
		return full
	default:
		w.out.Extra++
		w.out.UncompressedSize += plain + recordFixed + addressSize(qtype)
		return size
	}
}

// record writes a record of a published name and returns its size, unless that is more than free. The
// handler counts the escapes of a text too, so such texts are left to it.
func (w *wireSink) record(r cluster.Record, free int) int {
	switch {
	case recordHead+len(r.Data) > free:
		return noRoom
	case r.Type == dns.TypeTXT && escaped(r.Data), r.Type == dns.TypeNAPTR && escaped(r.Data[4:]):
		return notTaken
	}
	start := len(w.msg)
	w.owner()
	w.head(r.Type, w.view.TTL)
	w.msg = append(binary.BigEndian.AppendUint16(w.msg, uint16(len(r.Data))), r.Data...)
	w.answered(start)
	return len(w.msg) - start
}

// escaped reports whether the strings of a record have octets that miekg/dns escapes.
func escaped(data string) bool {
	for len(data) > 0 {
		text := data[1:min(len(data), 1+int(data[0]))]
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			return true
		}
		data = data[1+len(text):]
	}
	return false
}

// ptr writes a PTR record and returns its size, unless that is more than free.
func (w *wireSink) ptr(target *resolve.HostName, spelled *spelling, free int) int {
	if spelled.zone == nil {
		return notTaken
	}
	start := len(w.msg)
	w.owner()
	w.head(dns.TypePTR, w.view.TTL)
	at := len(w.msg)
	msg, ok := target.AppendWire(append(w.msg, 0, 0))
	w.msg = append(msg, spelled.zone.Wire()...)
	if !ok || len(w.msg)-at-2 > dnsname.MaxWire {
		return notTaken
	}
	written, pointer := spelled.shorten(target, len(w.msg)-at-2)
	if recordHead+written > free || pointer > 0 && recordHead+written+pointerSize > free {
		w.msg = w.msg[:start]
		return noRoom
	}
	w.answered(start)
	if pointer > 0 {
		w.msg = binary.BigEndian.AppendUint16(w.msg[:at+2+written], pointerTo(pointer))
	}
	w.size(at)
	return len(w.msg) - start
}

// addresses writes a sample of packed addresses. All records have the same head.
func (w *wireSink) addresses(qtype uint16, packed []byte, size int, which *sample, l *Limits) {
	start := len(w.msg)
	head := uint64(pointerTo(w.at))<<48 | uint64(qtype)<<32 | dns.ClassINET<<16 | uint64(w.view.TTL>>16)
	tail := w.view.TTL<<16 | uint32(size)
	w.msg = slices.Grow(w.msg, which.count*(recordHead+size))
	for range which.count {
		at := which.next() * size
		w.msg = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(w.msg, head), tail)
		w.msg = append(w.msg, packed[at:at+size]...)
	}
	if l.Shuffle && which.count > 1 {
		shuffle(w.msg[start:], recordHead+size, l.Random)
	}
	w.out.Answers += uint16(which.count)
	w.out.UncompressedSize += which.count * (len(w.question.Name().Wire()) + recordFixed + size)
}

// shuffle puts records of the same size into random order (Fisher and Yates). They differ
// only in their last octets, four or a multiple of four.
func shuffle(records []byte, size int, random *rand.PCG) {
	for i, last := 1, size; last < len(records); i, last = i+1, last+size {
		other := int(below32(random, uint32(i+1))) * size
		a, b := records[last+recordHead:last+size], records[other+recordHead:other+size]
		for len(a) >= 4 && len(b) >= 4 {
			x, y := binary.NativeEndian.Uint32(a), binary.NativeEndian.Uint32(b)
			binary.NativeEndian.PutUint32(a, y)
			binary.NativeEndian.PutUint32(b, x)
			a, b = a[4:], b[4:]
		}
	}
}
