package zone

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Wire says what AppendWire has appended to a message.
type Wire struct {
	Result    Result
	Kind      NameKind
	Truncated bool
	Answers   uint16 // records of the answer section
	Authority uint16
	Extra     uint16

	// Plain is the size of the message as the handler makes it: names in full, no OPT
	// record.
	Plain int
}

// Room says how an answer is to be written.
type Room struct {
	// Size is how long the message may become; records that do not fit are left
	// out where the handler would leave out the same number.
	Size int
	// Reserved is what is still to come behind the answer.
	Reserved int
	// Shuffle asks for a random order of addresses.
	Shuffle bool
	// Random is the source of chance, nil for the process's own.
	Random *rand.PCG
}

// AppendWire appends the sections behind the question to a message of which
// header and question are there, in the form that View.Lookup would give them.
// Owners are pointers to the question, so its spelling is kept.
//
// It fails for what it does not know: aliases, transfers, and what is rarely
// asked for. Nothing of it is allocated but what is kept for the next question.
func (v *View) AppendWire(msg []byte, s *cluster.Snapshot, q *Question, room Room) ([]byte, Wire, bool) {
	o := v.origin(q.Name())
	if o == nil || !s.Synced() || MetaType(q.Type) {
		return msg, Wire{}, false
	}
	p := v.locate(s, q.Name(), o)
	w := writer{view: v, snapshot: s, question: q, origin: o, room: room, msg: msg, at: headerSize, maxTTL: soaMaxTTL}
	if !w.place(&p) {
		return msg, Wire{}, false
	}
	w.wire.Kind = p.name
	return w.msg, w.wire, true
}

// MetaType says whether a type is not one of records, or one for which a server
// looks in another zone first (RFC 4035 3.1.4.1).
func MetaType(qtype uint16) bool {
	return qtype == dns.TypeDS || qtype == dns.TypeOPT || qtype == 0 || qtype >= 128 && qtype <= 255
}

// writer writes one answer.
type writer struct {
	view     *View
	snapshot *cluster.Snapshot
	question *Question
	origin   *Origin
	room     Room
	msg      []byte
	at       int    // where in it the owner's name is
	maxTTL   uint32 // of what is made of the view alone
	wire     Wire
}

// place writes what is at a place. It fails for what it does not know.
func (w *writer) place(p *place) bool {
	qtype := w.question.Type
	switch p.kind {
	case nowhere:
		return w.negative(NXDomain)
	case atEmpty:
		return w.negative(NoData)
	case atApex:
		return w.apex()
	case atAddress:
		return w.pointers(p.addr)
	case atPod, atClusterIP, atEndpoints, atLabel, atPort, atEndpointsOf:
		switch qtype {
		case dns.TypeA, dns.TypeAAAA:
			return w.addresses(p)
		case dns.TypeSRV:
			return w.services(p)
		}
		return w.negative(NoData)
	}
	return false
}

func (w *writer) apex() bool {
	switch w.question.Type {
	case dns.TypeNS:
		return false
	case dns.TypeSOA:
		w.wire = Wire{Result: Success, Answers: 1, Plain: w.soa()}
		return true
	}
	return w.negative(NoData)
}

// negative writes the SOA record of a negative answer (RFC 2308 3).
func (w *writer) negative(r Result) bool {
	w.wire = Wire{Result: r, Authority: 1, Plain: w.soa()}
	return true
}

// soaTimers is the size of what is behind the names of a SOA record.
const soaTimers = 5 * 4

// soa returns the size of a message with the record alone.
func (w *writer) soa() int {
	plain := len(w.msg) + 3*len(w.origin.Wire()) + len(soaNS) + len(soaMbox) + recordFixed + soaTimers
	ttl := min(w.view.TTL, w.maxTTL)
	w.suffix(w.origin.Labels())
	w.head(dns.TypeSOA, ttl)
	at := len(w.msg)
	w.msg = append(w.msg, 0, 0)
	w.msg = append(w.msg, soaNS...)
	w.suffix(w.origin.Labels())
	w.msg = append(w.msg, soaMbox...)
	w.suffix(w.origin.Labels())
	for _, n := range [...]uint32{w.snapshot.Serial(), soaRefresh, soaRetry, soaExpire, w.negativeTTL()} {
		w.msg = binary.BigEndian.AppendUint32(w.msg, n)
	}
	w.size(at)
	return plain
}

// negativeTTL is how long a client may take an absence for granted (RFC 2308 4). That
// of a name of the zone is the zone's, however long; the TTL of the record bounds it.
func (w *writer) negativeTTL() uint32 {
	if w.maxTTL < soaMaxTTL {
		return min(w.view.TTL, w.maxTTL)
	}
	return w.view.TTL
}

// The labels below an origin of the names in its SOA record.
const (
	soaNS   = "\x02ns\x03dns"
	soaMbox = "\x0ahostmaster"
)

// recordFixed is the size of a record's type, class, TTL and length of data.
const recordFixed = 10

// suffix writes the last labels of the question's name, as a pointer.
func (w *writer) suffix(labels int) {
	if labels == 0 {
		w.msg = append(w.msg, 0)
		return
	}
	w.msg = binary.BigEndian.AppendUint16(w.msg, w.question.suffixPointer(labels))
}

func (w *writer) owner() { w.msg = binary.BigEndian.AppendUint16(w.msg, pointerTo(w.at)) }

// head writes type, class and TTL of a record.
func (w *writer) head(rrtype uint16, ttl uint32) {
	w.msg = binary.BigEndian.AppendUint16(w.msg, rrtype)
	w.msg = binary.BigEndian.AppendUint16(w.msg, dns.ClassINET)
	w.msg = binary.BigEndian.AppendUint32(w.msg, ttl)
}

// size fills in the length of the data whose two octets are at the offset.
func (w *writer) size(at int) {
	binary.BigEndian.PutUint16(w.msg[at:], uint16(len(w.msg)-at-2))
}

// free is how many octets more the message may have.
func (w *writer) free() int { return w.room.Size - w.room.Reserved - len(w.msg) }
