package clusterdns

import (
	"context"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Holding says how much of the answer to a question a handler has in its own data.
type Holding uint8

// The holdings, in the order in which they prevail.
const (
	HoldsNothing Holding = iota // other plugins have the answer, or a part of it
	HoldsDenial                 // the name is the handler's and does not exist
	HoldsAnswer                 // no other plugin is needed
)

// Holder is a handler that can tell what it holds before it is asked.
type Holder interface {
	Holds(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) Holding
}

// cacheGate takes the place of the plugin cache of a server block. The cache would hold
// back changes of the cluster, and a look-up costs less than it does, so an answer from
// our own data never passes through it. What other plugins answer does, for names of our
// zones too: they fall through, or they are aliases of names elsewhere.
type cacheGate struct {
	*cache.Cache
	d *ClusterDNS
}

// gateCache puts the gate in front of the plugin cache, if a server block has it ahead of
// ours. It must be called before our own plugin is added.
func gateCache(server *dnsserver.Config, d *ClusterDNS) {
	d.holders = []Holder{d}
	at := pluginIndex(server, "cache")
	if at < 0 {
		return
	}
	build := server.Plugin[at]
	server.Plugin[at] = func(next plugin.Handler) plugin.Handler {
		h := build(next)
		c, ok := h.(*cache.Cache)
		if !ok {
			return h
		}
		d.cache = c
		return &cacheGate{Cache: c, d: d}
	}
}

// AddHolder has another handler of the server block bypass the cache as well. It must be
// called before the server block serves.
func (d *ClusterDNS) AddHolder(h Holder) { d.holders = append(d.holders, h) }

// ServeDNS implements plugin.Handler.
func (g *cacheGate) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if r.Opcode != dns.OpcodeQuery || !g.bypasses(ctx, w, r) {
		return g.Cache.ServeDNS(ctx, w, r)
	}
	return plugin.NextOrFailure(g.Name(), g.Next, ctx, w, r)
}

// bypasses reports whether the cache may not answer a question. It might know what other
// plugins said of a name before we had it, so each question is looked up first. Where the
// cache is of use for names that we deny, it keeps our denials as well, and gives them to
// nobody once the name exists.
func (g *cacheGate) bypasses(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) bool {
	most := HoldsNothing
	for _, h := range g.d.holders {
		most = max(most, h.Holds(ctx, w, r))
	}
	return most == HoldsAnswer || most == HoldsDenial && !g.d.cacheServesOthers
}

// Holds implements Holder. A searched name is ours, whatever becomes of it: the cache knows
// at most what others say of the name as it stands.
func (d *ClusterDNS) Holds(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) Holding {
	q := questions.Get().(*answer.Question)
	defer questions.Put(q)
	qname, qtype := questionOf(r)
	name, err := q.ParseText(qname)
	if err != nil {
		return HoldsNothing
	}
	result, last := d.view.Outcome(d.store.Load(), name, qtype)
	if result == resolve.NXDomain && last == name && d.completer.Searched(ctx, &request.Request{W: w, Req: r}, name) {
		return HoldsAnswer
	}
	return HoldingOf(result, qtype, d.fall, last)
}

// HoldingOf says what a handler holds by the outcome of a look-up, which is that of the last
// name of a chain of aliases. A transfer is never for the cache.
func HoldingOf(result resolve.Result, qtype uint16, f fall.F, last *dnsname.Name) Holding {
	transfer := qtype == dns.TypeAXFR || qtype == dns.TypeIXFR
	switch {
	case result == resolve.OutOfZone || result == resolve.FollowTarget && !transfer:
		return HoldsNothing
	case result != resolve.NXDomain || transfer:
		return HoldsAnswer
	case through(f, last.String()):
		return HoldsNothing
	}
	return HoldsDenial
}
