package completion

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// innerSize is the size of replies that are asked for, whatever the client can take,
// so that no other client is given what was cut for this one. Datagrams of this size
// are not fragmented (DNS flag day 2020).
const innerSize = 1232

// maxAliases is how many aliases are followed in a reply. None of real use has as many.
const maxAliases = 11

// existenceTypes are the types by which clients search.
var existenceTypes = [...]uint16{dns.TypeA, dns.TypeAAAA}

// finding is what there is at a name. The response code is NXDOMAIN if there is no
// such name, and SERVFAIL if nobody can tell.
type finding struct {
	rcode     int
	records   []dns.RR // in the order of the chain of aliases, or none
	extra     []dns.RR
	recursion bool
	truncated bool
	unknown   bool // nobody could tell in time
}

// find finds what a name has of the question's type.
func (s *search) find(n *dnsname.Name, status searchpath.Status) finding {
	if status != searchpath.Present {
		return s.ask(n.String())
	}
	a := answer.Lookup(s.c.View, s.Snapshot, n, s.State.QType(), s.limitsBehindAlias(n.String()))
	return finding{records: a.Records, extra: a.Extra, truncated: a.Truncated}
}

// limitsBehindAlias returns the limits of the records of a name behind the
// alias that leads there.
func (s *search) limitsBehindAlias(target string) answer.Limits {
	limits := s.Limits
	question := dns.Question{Name: target}
	alone := dns.Msg{Question: []dns.Question{question}, Compress: true}
	question.Name = s.State.QName()
	behind := dns.Msg{Question: []dns.Question{question}, Answer: []dns.RR{s.alias(target, nil)}, Compress: true}
	limits.Reserved += behind.Len() - alone.Len()
	return limits
}

// ask asks the whole server for a name. A failure is passed on, because the next
// element of the search path may be the name of another host.
func (s *search) ask(name string) finding {
	qtype := s.State.QType()
	if qtype == dns.TypeCNAME || qtype == dns.TypeANY {
		qtype = dns.TypeA // the alias that we make is the answer
	}
	m := s.shared(name, qtype)
	f := finding{rcode: m.Rcode, recursion: m.RecursionAvailable}
	switch {
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		f.rcode = dns.RcodeServerFailure // clients wait for another reply if they are told anything else
	case answered(m):
		f.records, f.truncated = chainOf(m.Answer, name, qtype), m.Truncated
	default:
		f.rcode = s.existence(name, qtype, m)
	}
	f.unknown = f.rcode == dns.RcodeServerFailure && s.cut
	return f
}

// existence decides, by the types with which clients search, whether a name exists that
// has nothing of the type that was asked for. It returns NOERROR, NXDOMAIN, or SERVFAIL
// if nobody can tell. There are servers that deny a name because it lacks a type, so an
// answer of one type outweighs a denial of the other; and there are servers that silence a type,
// for existing names and for others alike, so a denial outweighs an empty answer.
func (s *search) existence(name string, qtype uint16, m *dns.Msg) int {
	denied, failed := false, false
	for _, t := range existenceTypes {
		reply := m
		if t != qtype {
			reply = s.shared(name, t)
		}
		switch {
		case answered(reply):
			return dns.RcodeSuccess
		case reply.Rcode == dns.RcodeNameError:
			denied = true
		case reply.Rcode != dns.RcodeSuccess:
			failed = true
		}
	}
	switch {
	case denied:
		return dns.RcodeNameError
	case failed && m.Rcode == dns.RcodeNameError:
		return dns.RcodeServerFailure
	}
	return dns.RcodeSuccess
}

// answered reports whether a reply has records, if only an alias, or would have if they had
// fitted. What is silenced has none.
func answered(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess && (m.Truncated || len(m.Answer) > 0)
}

// chainOf returns the aliases from a name on, in order, and what the last one has, each with
// its signatures and with the owner in one spelling: there are clients that look at the order and
// the owners. It returns copies, because the plugins above may change what they are given.
// Without data it returns none: to some clients an alias alone is an answer.
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

// rrsetOf returns copies of an owner's records of a type, and behind them their signatures.
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

// shared asks the server, once for all who ask the same for the same client at the
// same time, as those do who ask for A and those who ask for AAAA. The reply is not to
// be changed. A view may tell questions of one client apart, by anything.
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
	key := strings.Join([]string{addr, s.State.IP(), strconv.Itoa(int(qtype)), strconv.FormatBool(s.State.Do()), strings.ToLower(name)}, " ")
	m, _, _ := s.c.flights.Do(key, func() (any, error) { return s.inner(name, qtype), nil })
	if m.(*dns.Msg) == cut {
		s.cut = true
	}
	return m.(*dns.Msg)
}

// cut is the reply where the server was not asked, or not for as long as it takes.
var cut = &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeServerFailure}}

// inner asks the server. It asks again over TCP for what does not fit into a datagram.
func (s *search) inner(name string, qtype uint16) *dns.Msg {
	// Others may wait for the reply when this client has gone.
	ctx, cancel := s.budget.context(AsItStands(context.WithoutCancel(s.ctx)))
	defer cancel()
	r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(innerSize, s.State.Do())
	state := request.Request{W: s.State.W, Req: r}
	m, err := s.c.Lookup(ctx, state, name, qtype)
	if err == nil && m != nil && m.Truncated && s.State.Proto() == "udp" {
		state = request.Request{W: overTCP{s.State.W}, Req: r}
		m, err = s.c.Lookup(ctx, state, name, qtype)
	}
	if err != nil || m == nil {
		m = new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
	}
	if turnedAway(ctx) || m.Rcode == dns.RcodeServerFailure && ctx.Err() != nil {
		return cut
	}
	return m
}

// overTCP is a writer of a client that asks over TCP.
type overTCP struct{ dns.ResponseWriter }

func (w overTCP) RemoteAddr() net.Addr {
	if a, ok := w.ResponseWriter.RemoteAddr().(*net.UDPAddr); ok {
		return &net.TCPAddr{IP: a.IP, Port: a.Port, Zone: a.Zone}
	}
	return w.ResponseWriter.RemoteAddr()
}
