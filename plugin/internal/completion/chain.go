package completion

import (
	"context"
	"net/netip"
	"sync/atomic"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// innerKey marks a question that is not completed, such as one that was sent to complete
// another.
type innerKey struct{}

// inner is the value of the mark.
type inner struct{ turnedAway atomic.Bool }

// AsItStands returns a context in which no name is completed.
func AsItStands(ctx context.Context) context.Context {
	return context.WithValue(ctx, innerKey{}, new(inner))
}

// TurnAway must be called by a handler that does not ask an upstream because the client has
// too many waiting questions. If the question was sent to complete a name, the client then
// goes on searching by itself.
func TurnAway(ctx context.Context) {
	if mark, ok := ctx.Value(innerKey{}).(*inner); ok {
		mark.turnedAway.Store(true)
	}
}

func turnedAway(ctx context.Context) bool {
	mark, ok := ctx.Value(innerKey{}).(*inner)
	return ok && mark.turnedAway.Load()
}

// Question is a question in our zones for a name that does not exist and that a stub
// resolver may have made by searching.
type Question struct {
	State    request.Request
	Snapshot *cluster.Snapshot
	Name     *dnsname.Name
	Limits   answer.Limits // the client's limits for the answer
	Denial   []dns.RR      // the authority section of the answer without completion: the zone's SOA record
}

// search is the search for the name behind one question.
type search struct {
	Question
	c      *Completer
	ctx    context.Context
	budget budget
	cut    bool       // a look-up was cut off by the budget
	passed *candidate // the first that is silenced
}

var _ searchpath.Cluster = (*search)(nil)

// Searched reports whether a question for a name that does not exist has a form that is
// completed. A nil Completer completes nothing.
func (c *Completer) Searched(ctx context.Context, state *request.Request, n *dnsname.Name) bool {
	if c == nil || !c.searches(ctx, state) {
		return false
	}
	_, _, ok := c.question(n, []byte(n.Wire()))
	return ok
}

// Complete answers a question with an alias to the name that it stands for. It returns nil
// if the client must go on searching by itself.
func (c *Completer) Complete(ctx context.Context, q Question) *dns.Msg {
	if !c.searches(ctx, &q.State) {
		return nil
	}
	parsed, path, ok := c.question(q.Name, []byte(q.Name.Wire()))
	if !ok {
		return nil
	}
	list := c.listFor(q.Snapshot, clientAddr(&q.State), &parsed, path, new(searchpath.List))
	if list == nil {
		return nil
	}
	s := &search{Question: q, c: c, ctx: ctx, budget: newBudget()}
	return s.walk(parsed, list)
}

// walk answers with what the first name of the list has at which a resolver may stop. It returns
// nil if there is none, or if the budget is used up: then the client must go on searching by itself.
func (s *search) walk(q searchpath.Question, list *searchpath.List) *dns.Msg {
	var w searchpath.Walk
	if !w.Begin(q, list, s) || s.knownToNext() {
		return nil
	}
	base, ok := spelled(s.State.QName())
	if !ok {
		return nil
	}
	for w.Next() {
		e := w.Suffix()
		target, err := dnsname.ParseWire(append(base[:q.Base():q.Base()], e.Suffix...))
		if err != nil {
			continue
		}
		if !s.budget.take(w.Status()) {
			return s.giveUp()
		}
		f := s.find(&target, w.Status())
		if f.unknown {
			return s.giveUp()
		}
		if c := (candidate{f, target.String(), e.Position, w.Saved()}); s.stopsAt(&c) {
			return s.take(&c)
		}
	}
	s.c.Counter.None()
	return nil
}

// candidate is a name of the search path that has been looked up.
type candidate struct {
	finding
	name     string
	position searchpath.Position
	saved    int
}

// stopsAt reports whether the search ends at a candidate. It ends where some resolver would, with
// what that resolver gets there, so that each resolver then does what it does without completion.
//
// A name that is denied for one type and silent for the other is such a place too, since musl goes
// on for one family and not for the other. But whoever silences a type mostly does so for all names,
// and then no name outside would be completed. So the search goes on, and comes back to it if a
// later name has another reply of that type.
func (s *search) stopsAt(c *candidate) bool {
	switch c.existence {
	case absent:
		return false
	case silenced:
		if s.passed == nil {
			s.passed = c
		}
		if s.passed.silence == c.silence {
			return false
		}
	case exists:
		if s.passed == nil || s.silent(c.name, s.passed.silence) {
			return true
		}
	}
	*c = *s.passed
	return true
}

// take answers with a candidate. It returns nil if that is denied for the type of the question.
func (s *search) take(c *candidate) *dns.Msg {
	if s.cut {
		return s.giveUp()
	}
	if c.rcode == dns.RcodeNameError {
		s.c.Counter.None()
		return nil
	}
	s.c.count(&c.finding, c.position, c.saved)
	return s.reply(c.name, &c.finding)
}

// giveUp ends a search whose budget is used up.
func (s *search) giveUp() *dns.Msg {
	s.c.Counter.GivenUp()
	return nil
}

// count counts a completed question, and the questions of the same type that the client
// saves. After a failure the client may go on searching.
func (c *Completer) count(f *finding, p searchpath.Position, saved int) {
	switch {
	case f.rcode != dns.RcodeSuccess:
		c.Counter.Failed(p)
	case len(f.records) == 0:
		c.Counter.NoData(p)
	default:
		c.Counter.Found(p, saved)
	}
}

// searches reports whether a question may come from a stub resolver that searches, which
// asks for recursion.
//
// A client that sets CD validates answers by itself and asks for the name that it means.
// For a client that sets DO, the alias may be unsigned as the zone is unsigned, unless a
// plugin ahead signs it (RFC 4035 3.2).
//
// Questions that the server asks itself are excluded: those that complete a name, and those
// for the target of another plugin's alias. Nobody searches for such a target, and the
// answer may be cached under the alias for clients of every Namespace.
func (c *Completer) searches(ctx context.Context, state *request.Request) bool {
	r := state.Req
	aliases, _ := ctx.Value(dnsserver.LoopKey{}).(int)
	inner := aliases > 0 || ctx.Value(innerKey{}) != nil
	return r.Opcode == dns.OpcodeQuery && r.RecursionDesired && !r.CheckingDisabled && !inner && (!c.Signed || !state.Do()) && searchedFor(state.QType())
}

// clientAddr returns the address of the client, or the invalid Addr if it has none.
func clientAddr(state *request.Request) netip.Addr {
	addr, err := netip.ParseAddr(state.IP())
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// knownToNext reports whether the name falls through to the next plugin and may exist
// there.
func (s *search) knownToNext() bool {
	if !s.c.Fallthrough.Enclose(s.Name) || !s.budget.take(searchpath.Unclear) {
		return false
	}
	f := s.ask(s.State.QName())
	if f.existence == silenced {
		f.rcode = dns.RcodeNameError // the next plugin answers if the search comes back to the name
		s.passed = &candidate{finding: f}
	}
	return f.existence == exists
}

// Taken implements searchpath.Cluster.
func (s *search) Taken(namespace, service []byte) bool {
	return s.c.View.ClaimsSubtree(s.Snapshot, cluster.Key{Namespace: string(namespace), Name: string(service)})
}

// Status implements searchpath.Cluster. An alias to a name that does not exist counts as
// absent, because clients go on to the next element.
func (s *search) Status(name []byte) searchpath.Status {
	n, err := dnsname.ParseWire(name)
	if err != nil {
		return searchpath.Absent
	}
	outcome, _ := s.c.View.Outcome(s.Snapshot, &n, dns.TypeNone)
	return s.c.status(outcome, &n)
}

// spelled returns a name in wire form with the client's letter case.
func spelled(qname string) ([]byte, bool) {
	var buf [256]byte
	end, err := dns.PackDomainName(dns.Fqdn(qname), buf[:], 0, nil, false)
	return buf[:end], err == nil
}
