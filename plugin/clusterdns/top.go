package clusterdns

import (
	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// topModes are what the property top may say.
var topModes = onOff(socket.Top)

func parseTop(cfg *config, c *caddy.Controller, args []string) error {
	return cfg.top.parse(topModes, c, args)
}

func (cfg *config) topFrom(environment func(string) string) error {
	return cfg.top.from(topModes, environment)
}

// newCounter returns what counts who asks a handler what, or nil if nobody wants to know.
func newCounter(cfg *config, d *ClusterDNS) *top.Counter {
	if !cfg.top.mode {
		return nil
	}
	return &top.Counter{
		Tally: tally,
		Store: func() *cluster.Store { return d.store },
		View:  &d.view,
		Pods:  cfg.source.Pods || cfg.search.mode.WatchesPods(),
	}
}
