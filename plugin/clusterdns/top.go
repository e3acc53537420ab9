package clusterdns

import (
	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

// topModes says whether who asks what is counted.
var topModes = &modeTable[bool]{
	property: "top", variable: "CLUSTERDNS_TOP", usage: "[on|off]",
	values: map[string]bool{"": true, "on": true, "off": false},
}

// topConfig has the value of the property top.
type topConfig struct {
	on  bool
	set bool // set in the Corefile
}

func parseTop(cfg *config, c *caddy.Controller, args []string) (err error) {
	cfg.top.set = true
	cfg.top.on, err = topModes.parse(c, args)
	return err
}

// topFrom sets the mode from the environment, unless the Corefile sets it.
func (cfg *config) topFrom(environment func(string) string) error {
	if cfg.top.set {
		return nil
	}
	return topModes.override(&cfg.top.on, environment)
}

// newCounter returns what counts who asks a handler what, or nil if nobody wants to know.
func newCounter(cfg *config, d *ClusterDNS) *top.Counter {
	if !cfg.top.on {
		return nil
	}
	return &top.Counter{
		Tally: tally,
		Store: func() *cluster.Store { return d.store },
		View:  &d.view,
		Pods:  cfg.source.Pods || cfg.search.mode.WatchesPods(),
	}
}
