package clusterdns

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// innerSize is the size of replies that are asked for, whatever the client can take,
// so that no other client is given what was cut for this one. Datagrams of this size
// are not fragmented (DNS flag day 2020).
const innerSize = 1232

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
}

// find finds what a name has of the question's type.
func (c *completion) find(n *zone.Name, s searchpath.Status) finding {
	if s != searchpath.Present {
		return c.ask(n.String())
	}
	a := c.d.view.Lookup(c.snapshot, n, c.state.QType())
	return finding{records: a.Records, extra: a.Extra}
}

// ask asks the whole server for a name. It exists if it does for any of the types by
// which clients search: there are servers that deny a name for want of a type, and a
// client that is denied one loses the other. A failure is passed on, since the next
// element may be another host's name.
func (c *completion) ask(name string) finding {
	qtype := c.state.QType()
	if qtype == dns.TypeCNAME || qtype == dns.TypeANY {
		qtype = dns.TypeA // the alias that we make is the answer
	}
	m := c.shared(name, qtype)
	if m.Rcode != dns.RcodeNameError {
		return findingOf(m, name, qtype)
	}
	for _, t := range existenceTypes {
		if t == qtype {
			continue
		}
		if rcode := c.shared(name, t).Rcode; rcode != dns.RcodeNameError {
			return finding{rcode: failure(rcode), recursion: m.RecursionAvailable}
		}
	}
	return finding{rcode: dns.RcodeNameError}
}

// failure is the response code for a code that is no NXDOMAIN. Clients wait for
// another reply if they are told anything but SERVFAIL.
func failure(rcode int) int {
	if rcode == dns.RcodeSuccess {
		return rcode
	}
	return dns.RcodeServerFailure
}

func findingOf(m *dns.Msg, name string, qtype uint16) finding {
	f := finding{rcode: failure(m.Rcode), recursion: m.RecursionAvailable, truncated: m.Truncated}
	if f.rcode == dns.RcodeSuccess {
		f.records = chain(m.Answer, name, qtype)
	}
	return f
}

// chain is the aliases from a name on, in order, and what the last one has, each with
// the owner in one spelling: there are clients that look at the order and the owners.
// It has copies, because the plugins above may change what they are given. Without
// data there is none of it: to some clients an alias alone is an answer.
func chain(answer []dns.RR, owner string, qtype uint16) []dns.RR {
	var found []dns.RR
	for range maxTargets {
		var alias *dns.CNAME
		before := len(found)
		for _, rr := range answer {
			if !strings.EqualFold(rr.Header().Name, owner) {
				continue
			}
			if rr.Header().Rrtype == qtype {
				found = append(found, owned(rr, owner))
			} else if rr.Header().Rrtype == dns.TypeCNAME {
				alias = owned(rr, owner).(*dns.CNAME)
			}
		}
		if len(found) > before || alias == nil {
			return dataIn(found, before)
		}
		found, owner = append(found, alias), alias.Target
	}
	return nil
}

// dataIn are the records, if there are any besides so many aliases.
func dataIn(found []dns.RR, aliases int) []dns.RR {
	if len(found) == aliases {
		return nil
	}
	return found
}

func owned(rr dns.RR, owner string) dns.RR {
	rr = dns.Copy(rr)
	rr.Header().Name = owner
	return rr
}

// shared asks the server, once for all who ask the same for the same client at the
// same time, as those do who ask for A and those who ask for AAAA. The reply is not to
// be changed.
func (c *completion) shared(name string, qtype uint16) *dns.Msg {
	server, _ := c.ctx.Value(dnsserver.Key{}).(*dnsserver.Server)
	addr := ""
	if server != nil {
		addr = server.Addr
	}
	key := strings.Join([]string{addr, c.state.IP(), strconv.Itoa(int(qtype)), strings.ToLower(name)}, " ")
	m, _, _ := c.d.searcher.flights.Do(key, func() (any, error) { return c.inner(name, qtype), nil })
	return m.(*dns.Msg)
}

// inner asks the server. What does not fit into a datagram is asked for again over TCP.
func (c *completion) inner(name string, qtype uint16) *dns.Msg {
	// Others may wait for the reply when this client has gone.
	ctx := context.WithValue(context.WithoutCancel(c.ctx), completingKey{}, true)
	r := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(innerSize, false)
	state := request.Request{W: c.state.W, Req: r}
	m, err := c.d.upstream.Lookup(ctx, state, name, qtype)
	if err == nil && m != nil && m.Truncated && c.state.Proto() == "udp" {
		state = request.Request{W: overTCP{c.state.W}, Req: r}
		m, err = c.d.upstream.Lookup(ctx, state, name, qtype)
	}
	if err != nil || m == nil {
		return new(dns.Msg).SetRcode(r, dns.RcodeServerFailure)
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
