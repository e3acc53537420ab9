package clusterdns

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

type fastPathKey struct{}

// fastPathOf returns the fast path of the instance that a controller belongs to.
func fastPathOf(c *caddy.Controller, log clog.P) *fastpath.Instance {
	if f, ok := c.Get(fastPathKey{}).(*fastpath.Instance); ok {
		return f
	}
	f := fastpath.New(c, collectors.FastPath(), log)
	c.Set(fastPathKey{}, f)
	return f
}

// onFastPath returns what the fast path needs of the handler.
func (d *ClusterDNS) onFastPath() fastpath.Handler {
	return fastpath.Handler{
		Directive:   d.name,
		Store:       func() *cluster.Store { return d.store },
		View:        &d.view,
		Fallthrough: d.fall.Zones,
		Completer:   d.completer,
		Meter:       d.meter,
		Listening:   d.listening.Store,
	}
}

// meter returns what counts the answers that are given at the sockets of a server.
func (d *ClusterDNS) meter(s *dnsserver.Server) reply.Meter {
	counter := d.answers.Of(context.WithValue(context.Background(), dnsserver.Key{}, s))
	if d.completer == nil {
		return counter.AtSockets(nil)
	}
	return counter.AtSockets(d.completer.Counter)
}
