package completion

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// innerSize is the least EDNS size of look-ups. Datagrams of this size are not fragmented (DNS
// flag day 2020).
const innerSize = 1232

// maxAliases is how many aliases of a reply are followed. No chain of practical use is
// longer.
const maxAliases = 11

// existenceTypes are the query types with which clients search.
var existenceTypes = [...]uint16{dns.TypeA, dns.TypeAAAA}

// finding is the result of a look-up: what a client gets if it asks for the name itself.
type finding struct {
	rcode     int
	records   []dns.RR // in the order of the alias chain, or none
	extra     []dns.RR
	recursion bool
	truncated bool
	existence existence
	silence   silence
	unknown   bool // the budget ended before an answer
}

// existence is what the replies for A and AAAA say about a name.
type existence uint8

const (
	exists   existence = iota // or cannot be looked up: no resolver is sure to go on to the next name
	absent                    // both deny it: every resolver goes on
	silenced                  // one denies it and the other has no data: see silence
)

// silence is a reply without data beside a denial for the other type. A plugin or an upstream may
// give it for all names, so it does not show that the name exists.
type silence struct {
	qtype uint16
	rcode int
}

// find returns the records of a name with the question's type.
func (s *search) find(n *dnsname.Name, status searchpath.Status) finding {
	if status != searchpath.Present {
		return s.ask(n.String())
	}
	a := answer.Lookup(s.c.View, s.Snapshot, n, s.State.QType(), s.limitsBehindAlias(n.String()))
	return finding{records: a.Records, extra: a.Extra, truncated: a.Truncated}
}

// limitsBehindAlias returns the limits for the records of a name in an answer that begins
// with the alias to it.
func (s *search) limitsBehindAlias(target string) answer.Limits {
	limits := s.Limits
	question := dns.Question{Name: target}
	alone := dns.Msg{Question: []dns.Question{question}, Compress: true}
	question.Name = s.State.QName()
	behind := dns.Msg{Question: []dns.Question{question}, Answer: []dns.RR{s.alias(target, nil)}, Compress: true}
	limits.Reserved += behind.Len() - alone.Len()
	return limits
}

// ask looks a name up in the whole server.
func (s *search) ask(name string) finding {
	qtype := s.State.QType()
	if qtype == dns.TypeCNAME || qtype == dns.TypeANY {
		qtype = dns.TypeA // our alias is the answer
	}
	m := s.shared(name, qtype)
	f := finding{rcode: m.Rcode, recursion: m.RecursionAvailable}
	switch {
	case s.cut:
	case answered(m):
		f.records, f.truncated = chainOf(m.Answer, name, qtype), m.Truncated
	case !failed(m) || slices.Contains(existenceTypes[:], qtype):
		f.existence, f.silence = s.existence(name, qtype, m)
	}
	if f.rcode > maxPlainRcode {
		f.rcode = dns.RcodeServerFailure
	}
	f.unknown = s.cut
	return f
}

// maxPlainRcode is the largest response code that a reply without EDNS has room for.
const maxPlainRcode = 15

// existence decides, by the types with which clients search, whether a name without data of
// the question's type exists.
func (s *search) existence(name string, qtype uint16, m *dns.Msg) (existence, silence) {
	denials, other := 0, silence{}
	for _, t := range existenceTypes {
		reply := m
		if t != qtype {
			reply = s.shared(name, t)
		}
		switch {
		case answered(reply):
			return exists, silence{}
		case reply.Rcode == dns.RcodeNameError:
			denials++
		default:
			other = silence{t, reply.Rcode}
		}
	}
	switch denials {
	case len(existenceTypes):
		return absent, silence{}
	case 0:
		return exists, silence{}
	}
	return silenced, other
}

// silent reports whether a name has the same reply without data as another one.
func (s *search) silent(name string, other silence) bool {
	m := s.shared(name, other.qtype)
	return !answered(m) && m.Rcode == other.rcode
}

// failed reports whether a reply says neither what a name has nor that it does not exist.
func failed(m *dns.Msg) bool {
	return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
}

// answered reports whether a reply has records, if only an alias, or was truncated. A
// suppressed type has none.
func answered(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess && (m.Truncated || len(m.Answer) > 0)
}

// chainOf returns the aliases from a name on, in order, and the data of the last one, with
// their signatures. The owners have the spelling of the alias before, because some clients
// check order and owners. It returns copies, because the plugins ahead may change records.
// Without data it returns none, because some clients take an alias alone for an answer.
func chainOf(answer []dns.RR, owner string, qtype uint16) []dns.RR {
	var found []dns.RR
	for range maxAliases {
		if data := rrsetOf(answer, owner, qtype); len(data) > 0 {
			return append(found, data...)
		}
		aliases := rrsetOf(answer, owner, dns.TypeCNAME)
		if len(aliases) == 0 {
			return nil
		}
		found, owner = append(found, aliases...), aliases[0].(*dns.CNAME).Target
	}
	return nil
}

// rrsetOf returns copies of an owner's records of a type, followed by their signatures.
func rrsetOf(answer []dns.RR, owner string, qtype uint16) []dns.RR {
	var found, signatures []dns.RR
	for _, rr := range answer {
		if !strings.EqualFold(rr.Header().Name, owner) {
			continue
		}
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == qtype {
			signatures = append(signatures, owned(rr, owner))
		} else if rr.Header().Rrtype == qtype {
			found = append(found, owned(rr, owner))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return append(found, signatures...)
}

func owned(rr dns.RR, owner string) dns.RR {
	rr = dns.Copy(rr)
	rr.Header().Name = owner
	return rr
}

// shared sends a question to the server, once for all simultaneous questions of one client,
// such as those for A and for AAAA. The caller must not change the reply. Where a server
// block is filtered, nothing is shared, because a view may distinguish questions of one
// client by anything.
func (s *search) shared(name string, qtype uint16) *dns.Msg {
	if s.c.Filtered {
		m := s.inner(name, qtype)
		s.cut = s.cut || m == cut
		return m
	}
	server, _ := s.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	addr := ""
	if server != nil {
		addr = server.Addr
	}
	// The room is a part, so that no client gets a reply that was cut for another one.
	key := strings.Join([]string{addr, s.State.IP(), strconv.Itoa(int(qtype)), strconv.FormatBool(s.State.Do()), strconv.Itoa(s.room()), strings.ToLower(name)}, " ")
	if _, joins := s.c.asking.LoadOrStore(key, nil); !joins {
		defer s.c.asking.Delete(key)
	} else if s.c.MayWait != nil && !s.c.MayWait(s.ctx) {
		s.cut = true
		return cut
	}
	m, _, _ := s.c.flights.Do(key, func() (any, error) { return s.inner(name, qtype), nil })
	if m.(*dns.Msg) == cut {
		s.cut = true
	}
	return m.(*dns.Msg)
}

// cut is the reply when the server was not asked, or did not answer in time.
var cut = &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeServerFailure}}

// inner sends a question to the server, and sends it again for a larger reply if the reply is
// truncated and the client has room for more. What it costs is bounded by what the client can
// take, not by what the name has.
func (s *search) inner(name string, qtype uint16) *dns.Msg {
	// Others may wait for the reply even when this client is gone.
	ctx, cancel := s.budget.context(AsItStands(context.WithoutCancel(s.ctx)))
	defer cancel()
	m, err := s.lookup(ctx, name, qtype, innerSize)
	if room := s.room(); err == nil && m != nil && m.Truncated && room > innerSize && s.State.Proto() == "udp" {
		m, err = s.lookup(ctx, name, qtype, uint16(room))
	}
	if err != nil || m == nil {
		m = new(dns.Msg).SetRcode(new(dns.Msg).SetQuestion(name, qtype), dns.RcodeServerFailure)
	}
	if turnedAway(ctx) || m.Rcode == dns.RcodeServerFailure && ctx.Err() != nil {
		return cut
	}
	return m
}

// lookup sends a question whose reply over UDP may have a size.
func (s *search) lookup(ctx context.Context, name string, qtype, size uint16) (*dns.Msg, error) {
	r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(size, s.State.Do())
	return s.c.Lookup(ctx, request.Request{W: s.State.W, Req: r}, name, qtype)
}

// room returns the size of a reply that the client can take, or innerSize if that is larger.
func (s *search) room() int { return min(max(innerSize, s.State.Size()), dns.MaxMsgSize) }
