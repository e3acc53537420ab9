package chain

import (
	"context"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Coverage says how much of the answer to a question a handler's own data covers.
type Coverage uint8

// The coverages. If several handlers cover a question, the largest counts.
const (
	CoversNothing Coverage = iota // other plugins have the answer, or a part of it
	CoversDenial                  // the name is the handler's and does not exist
	CoversAnswer                  // no other plugin is needed
)

// CoverageOf returns the coverage for the result of a look-up, which is that of the last
// name in a chain of aliases. A transfer is never for the cache.
func CoverageOf(result resolve.Result, qtype uint16, fall dnsname.Zones, last *dnsname.Name) Coverage {
	transfer := qtype == dns.TypeAXFR || qtype == dns.TypeIXFR
	switch {
	case result == resolve.OutOfZone || result == resolve.FollowTarget && !transfer:
		return CoversNothing
	case result != resolve.NXDomain || transfer:
		return CoversAnswer
	case fall.Enclose(last):
		return CoversNothing
	}
	return CoversDenial
}

// Source is a handler that can report its coverage before it answers.
type Source interface {
	Covers(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) Coverage
}

// CacheGate replaces the plugin cache of a server block. The cache would delay changes of
// the cluster, and a look-up costs less than the cache, so answers from our own data never
// pass through it. Answers of other plugins do, also for names in our zones: such names
// fall through, or they are aliases of names elsewhere.
type CacheGate struct {
	sources []Source
	cache   *cache.Cache // nil if no cache is ahead in the server block

	// ServesOthers is set if the cache is useful for names that our handlers deny. It must
	// be set before the server block serves.
	ServesOthers bool
}

// GateCache puts a gate in front of the plugin cache, if a server block has one ahead of
// our plugin. It must be called before our own plugin is added. missed is called for each question
// that the cache passes on, or that passes the cache by.
func GateCache(server *dnsserver.Config, missed func(context.Context)) *CacheGate {
	g := new(CacheGate)
	at := pluginIndex(server, "cache")
	if at < 0 {
		return g
	}
	build := server.Plugin[at]
	server.Plugin[at] = func(next plugin.Handler) plugin.Handler {
		if next != nil {
			next = &behindCache{Handler: next, missed: missed}
		}
		h := build(next)
		c, ok := h.(*cache.Cache)
		if !ok {
			return h
		}
		g.cache = c
		return &gatedCache{Cache: c, gate: g}
	}
	return g
}

// Add adds a handler whose answers bypass the cache. It must be called before the server
// block serves.
func (g *CacheGate) Add(s Source) { g.sources = append(g.sources, s) }

// Cache returns the plugin cache that stands ahead, or nil.
func (g *CacheGate) Cache() *cache.Cache { return g.cache }

// bypasses reports whether the cache must not answer a question. The cache may know a name
// from before we had it, so each question is looked up first. Where the cache is useful for
// names that we deny, it stores our denials too, but they are not used once the name
// exists.
func (g *CacheGate) bypasses(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) bool {
	most := CoversNothing
	for _, s := range g.sources {
		if most = max(most, s.Covers(ctx, w, r)); most == CoversAnswer {
			return true
		}
	}
	return most == CoversDenial && !g.ServesOthers
}

// gatedCache is the plugin cache behind its gate.
type gatedCache struct {
	*cache.Cache
	gate *CacheGate
}

// PluginCache returns the cache.
func (c *gatedCache) PluginCache() *cache.Cache { return c.Cache }

// behindCache stands for the plugin that comes after the cache, and says which questions reach it.
type behindCache struct {
	plugin.Handler
	missed func(context.Context)
}

// ServeDNS implements plugin.Handler.
func (h *behindCache) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	h.missed(ctx)
	return h.Handler.ServeDNS(ctx, w, r)
}

// ServeDNS implements plugin.Handler.
func (c *gatedCache) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if r.Opcode != dns.OpcodeQuery || !c.gate.bypasses(ctx, w, r) {
		return c.Cache.ServeDNS(ctx, w, r)
	}
	return plugin.NextOrFailure(c.Name(), c.Next, ctx, w, r)
}
