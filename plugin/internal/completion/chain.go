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

// innerKey marks a question that is not completed, such as one that is asked to complete a name.
type innerKey struct{}

// inner is what the mark has.
type inner struct{ turnedAway atomic.Bool }

// AsItStands returns a context in which no name is completed.
func AsItStands(ctx context.Context) context.Context {
	return context.WithValue(ctx, innerKey{}, new(inner))
}

// TurnAway must be called by a handler that does not ask an upstream because the client has too
// many questions that wait. If the question was to complete a name, the client goes on by itself.
func TurnAway(ctx context.Context) {
	if mark, ok := ctx.Value(innerKey{}).(*inner); ok {
		mark.turnedAway.Store(true)
	}
}

func turnedAway(ctx context.Context) bool {
	mark, ok := ctx.Value(innerKey{}).(*inner)
	return ok && mark.turnedAway.Load()
}

// Question is a question in our zones for a name that does not exist, and that may have been
// made of another by a search path.
type Question struct {
	State    request.Request
	Snapshot *cluster.Snapshot
	Name     *dnsname.Name
	Limits   answer.Limits // that the client has for the answer
	Denial   []dns.RR      // the authority of the answer without completion: the zone's SOA record
}

// search is the search for what a question stands for.
type search struct {
	Question
	c      *Completer
	ctx    context.Context
	budget budget
	cut    bool // a look-up was
}

var _ searchpath.Cluster = (*search)(nil)

// Searched reports whether a question for a name that does not exist has the form of one to
// complete. A completer that is nil completes nothing.
func (c *Completer) Searched(ctx context.Context, state *request.Request, n *dnsname.Name) bool {
	if c == nil || !c.searches(ctx, state) {
		return false
	}
	_, _, ok := c.question(n, []byte(n.Wire()))
	return ok
}

// Complete answers a question with the name that it stands for. It returns nil if the client is
// to go on by itself.
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

// walk answers with the first name of the list that exists. It returns nil if there is none, or
// if the budget has no more: then the client goes on by itself.
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
		switch f := s.find(&target, w.Status()); {
		case f.unknown:
			return s.giveUp()
		case f.rcode != dns.RcodeNameError:
			s.c.count(&f, e.Position, w.Saved())
			return s.reply(target.String(), &f)
		}
	}
	s.c.Counter.None()
	return nil
}

// giveUp ends a search whose budget has no more.
func (s *search) giveUp() *dns.Msg {
	s.c.Counter.GivenUp()
	return nil
}

// count counts a question that was answered, and those of the same type that the client need
// not ask. A client that is told of a failure may go on.
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

// searches reports whether a question may be a stub resolver's that searches, which asks for
// recursion. Whoever sets CD checks the answer by itself, and asks for what there is. One who sets
// DO may be told of an alias without a signature, because the zone has none, unless a plugin
// ahead signs it (RFC 4035 3.2). A question that the server asks itself is none: to complete a
// name, or because an alias of another plugin leads here. Nobody searches for the target of an
// alias, and the answer may be kept under the alias, for clients of every Namespace.
func (c *Completer) searches(ctx context.Context, state *request.Request) bool {
	r := state.Req
	aliases, _ := ctx.Value(dnsserver.LoopKey{}).(int)
	inner := aliases > 0 || ctx.Value(innerKey{}) != nil
	return r.Opcode == dns.OpcodeQuery && r.RecursionDesired && !r.CheckingDisabled && !inner && (!c.Signed || !state.Do()) && searchedFor(state.QType())
}

// clientAddr returns the address of the client, which is invalid if it has none.
func clientAddr(state *request.Request) netip.Addr {
	addr, err := netip.ParseAddr(state.IP())
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// knownToNext reports whether the next plugin may know the name as it stands, and does or
// cannot tell.
func (s *search) knownToNext() bool {
	return s.c.Fallthrough.Enclose(s.Name) && s.budget.take(searchpath.Unclear) && s.ask(s.State.QName()).rcode != dns.RcodeNameError
}

// Taken implements searchpath.Cluster.
func (s *search) Taken(namespace, service []byte) bool {
	return s.c.View.Reserves(s.Snapshot, cluster.Key{Namespace: string(namespace), Name: string(service)})
}

// Status implements searchpath.Cluster. A name that leads to one that does not exist is
// as good as none: clients go on to the next.
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
