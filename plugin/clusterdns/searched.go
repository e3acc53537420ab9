package clusterdns

import (
	"context"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// completingKey marks what is asked to complete a name, which is not completed itself.
type completingKey struct{}

// completion is a question in our zones for a name that does not exist, and may have
// been made of another by a search path.
type completion struct {
	d        *ClusterDNS
	ctx      context.Context
	state    request.Request
	snapshot *cluster.Snapshot
	name     *dnsname.Name
	denial   []dns.RR // the SOA record of the zone
}

// completed answers with the name that a searched one stands for, or returns nil: then
// the client is to go on by itself.
func (c *completion) completed() *dns.Msg {
	q, path, ok := c.question()
	if !ok {
		return nil
	}
	list := c.list(&q, path)
	var w searchpath.Walk
	if list == nil || !w.Begin(q, list, c) || c.fallsThrough() {
		return nil
	}
	base, ok := spelled(c.state.QName())
	if !ok {
		return nil
	}
	for w.Next() {
		e := w.Suffix()
		n, err := dnsname.ParseWire(append(base[:q.Base():q.Base()], e.Suffix...))
		if err != nil {
			continue
		}
		if f := c.find(&n, w.Status()); f.rcode != dns.RcodeNameError {
			c.d.searcher.counts.completed(&f, e.Position, w.Saved())
			return c.reply(n.String(), &f)
		}
	}
	c.d.searcher.counts.failed()
	return nil
}

// searchedFor reports whether programs look up names by this type through the search path.
// A client that asks for another type looks at the zone itself, as with NS and SOA, and
// would take the name that the alias leads to for the zone's.
func searchedFor(qtype uint16) bool {
	switch qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeSRV, dns.TypeNAPTR, dns.TypeSVCB, dns.TypeHTTPS, dns.TypeANY:
		return true
	}
	return false
}

// question takes the name apart, if it is one to complete. Signed answers are not for
// us to make (RFC 4035 3.2), and only a stub resolver searches, which asks for recursion.
func (c *completion) question() (searchpath.Question, *searchpath.Path, bool) {
	r := c.state.Req
	if c.d.searcher == nil || r.Opcode != dns.OpcodeQuery || !r.RecursionDesired || r.CheckingDisabled || c.state.Do() || c.asked() {
		return searchpath.Question{}, nil, false
	}
	if !searchedFor(c.state.QType()) {
		return searchpath.Question{}, nil, false
	}
	o, _ := c.d.view.Origin(c.name)
	path := c.d.searcher.paths[o.String()]
	if path == nil {
		return searchpath.Question{}, nil, false
	}
	q, ok := searchpath.Parse([]byte(c.name.Wire()), path.Origin())
	return q, path, ok
}

// searched reports whether the question has the form of one to complete.
func (c *completion) searched() bool {
	_, _, ok := c.question()
	return ok
}

// asked says whether the server asks itself: to complete a name, or because an alias of
// another plugin leads here. Nobody searches for the target of an alias, and the answer
// may be kept under the alias, for clients of every Namespace.
func (c *completion) asked() bool {
	aliases, _ := c.ctx.Value(dnsserver.LoopKey{}).(int)
	return aliases > 0 || c.ctx.Value(completingKey{}) != nil
}

// list is what comes next in the client's search path, or nil.
func (c *completion) list(q *searchpath.Question, path *searchpath.Path) *searchpath.List {
	if c.d.searcher.mode == searchNames {
		return path.Standard()
	}
	return c.d.searcher.listOf(clientIn(c.snapshot, c.state).Pod, q, path, new(searchpath.List))
}

// fallsThrough says whether the next plugin may know the name as it stands, and does
// or cannot tell.
func (c *completion) fallsThrough() bool {
	if !c.d.fall.Through(c.state.Name()) {
		return false
	}
	return c.ask(c.state.QName()).rcode != dns.RcodeNameError
}

// Taken implements searchpath.Cluster.
func (c *completion) Taken(namespace, service []byte) bool {
	return c.d.view.Reserves(c.snapshot, cluster.Key{Namespace: string(namespace), Name: string(service)})
}

// Status implements searchpath.Cluster. A name that leads to one that does not exist is
// as good as none: clients go on to the next.
func (c *completion) Status(name []byte) searchpath.Status {
	n, err := dnsname.ParseWire(name)
	if err != nil {
		return searchpath.Absent
	}
	a := c.d.view.Lookup(c.snapshot, &n, dns.TypeNone)
	switch {
	case a.Result == zone.OutOfZone:
		return searchpath.Elsewhere
	case c.d.searcher.asks || a.Result == zone.Delegate || c.d.searcher.blocks.elsewhere(&n):
		return searchpath.Unclear
	case a.Result != zone.NXDomain:
		return searchpath.Present
	case c.d.fall.Through(n.String()):
		return searchpath.Unclear
	}
	return searchpath.Absent
}
