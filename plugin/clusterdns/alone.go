package clusterdns

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// Source says where a plugin with zones of its own has its objects from, in a server block without
// kubernetes and clusterdns.
type Source struct {
	Directive string
	Place     string // in the Corefile, for errors
	Config    kube.Config
	Log       clog.P
	Zones     Zones
}

// Zones are the zones of another handler of a server block, and where the next plugin may know a
// name.
type Zones struct {
	View *resolve.View
	Fall dnsname.Zones
	// Leaves reports whether a question is for a type that the next plugin has, whatever the name.
	Leaves func(*answer.Question) bool
}

// onFastPath returns what the fast path needs for another handler's zones.
func (z *Zones) onFastPath(of func() *ClusterDNS, directive string, ahead int) fastpath.Handler {
	return fastpath.Handler{
		Directive:   directive,
		Store:       func() *cluster.Store { return of().store },
		View:        z.View,
		Fallthrough: z.Fall,
		Leaves:      z.Leaves,
		Meter:       func(s *dnsserver.Server) reply.Meter { return of().meter(s) },
		Listening:   func(is bool) { of().listening.Store(is) },
		Ahead:       ahead,
	}
}

// Beside makes the fast path answer for the zones of a handler whose server block has a ClusterDNS
// too. It must be called before the handler is added.
func Beside(c *caddy.Controller, directive string, z Zones, log clog.P) {
	server := dnsserver.GetConfig(c)
	of := func() *ClusterDNS { return Of(server) }
	fastpath.Of(c, collectors.FastPath(), log).JoinBeside(server, z.onFastPath(of, directive, len(server.Plugin)))
}

// Alone returns a ClusterDNS without zones, which is no handler of the server block but has a store
// and all else for another one. It must be called before the other handler is added.
func Alone(c *caddy.Controller, s Source) *ClusterDNS {
	server := dnsserver.GetConfig(c)
	d := newHandler(s.Directive, &config{place: s.Place}, server, s.Log)
	ahead := len(server.Plugin)
	fast := fastpath.Of(c, collectors.FastPath(), s.Log)
	chain.Arrange(server, c.ServerBlockKeys, d.primary.Track, nil, fast.HeadOf)
	corefile.AtStart(c, func() error { return d.lookAround(c, fast.Blocks(), s.Log) })
	watchers.Attach(c, watch.Need{
		Directive: s.Directive,
		Place:     s.Place,
		Source:    func() kube.Config { return s.Config },
		Options:   kube.Options{Log: s.Log, ManifestError: collectors.ManifestError, Observer: collectors.Observer()},
		Timeout:   watch.DefaultTimeout,
		Use:       d.use,
	})
	d.notifySecondaries(c)
	fast.Join(server, s.Zones.onFastPath(func() *ClusterDNS { return d }, s.Directive, ahead))
	return d
}
