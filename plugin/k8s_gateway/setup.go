package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	if err := build(c); err != nil {
		return plugin.Error(pluginName, err)
	}
	return nil
}

func build(c *caddy.Controller) error {
	server := dnsserver.GetConfig(c)
	cfg, err := parse(c, server.Root)
	if err != nil {
		return err
	}
	log := clog.NewWithPlugin(pluginName)
	for _, text := range cfg.warnings.All() {
		log.Warning(text)
	}
	h := &handler{view: cfg.view, fall: cfg.fall, settings: cfg.source.Published}
	h.view.zones.Locator = h.view.locate
	if err := h.attach(c, cfg, log); err != nil {
		return err
	}
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		h.Next = next
		return h
	})
	return nil
}

// attach finds the cluster: at the start that of the server block or, if it has none, one of the
// handler's own.
func (h *handler) attach(c *caddy.Controller, cfg *config, log clog.P) error {
	block, err := corefile.OwnBlock(c)
	if err != nil {
		return err
	}
	beside := slices.ContainsFunc(clusterdns.Directives, func(directive string) bool { return len(block.Tokens[directive]) > 0 })
	zones := clusterdns.Zones{View: &h.view.zones, Fall: h.fall, Leaves: h.view.leavesQuestion}
	switch {
	case !beside && cfg.view.inside:
		return cfg.needsCluster
	case beside && cfg.ownSource != nil:
		return cfg.ownSource
	case beside:
		clusterdns.Beside(c, pluginName, zones, log)
	default:
		h.alone = true
		if !cfg.source.Published.Watches(publish.Services) {
			cfg.source.Published.Servers = "" // without a watch of Services for its sake
		}
		h.cluster = clusterdns.Alone(c, clusterdns.Source{Directive: pluginName, Place: cfg.place, Config: cfg.source, Log: log, Zones: zones})
	}
	server := dnsserver.GetConfig(c)
	corefile.AtStart(c, func() error {
		if !h.alone {
			h.cluster = clusterdns.Of(server)
		}
		if !h.view.inside {
			h.cluster.Primary().Serve(&h.view, h.leaveToCluster(log))
		} else if err := checkInside(h.view.zones.Origins, h.cluster.View().Origins); err != nil {
			return plugin.Error(pluginName, fmt.Errorf("%s: %w", cfg.place, err))
		}
		h.cluster.CacheGate().Add(h)
		return nil
	})
	return nil
}

// leaveToCluster leaves names in the cluster's own zones to the plugin with the cluster, and returns the zones
// that are left.
func (h *handler) leaveToCluster(log clog.P) (left []resolve.Origin) {
	if !h.alone {
		h.view.zones.Except = h.cluster.View().Origins
	}
	for _, o := range h.view.zones.Origins {
		if slices.ContainsFunc(h.view.zones.Except, func(other resolve.Origin) bool { return other.Wire() == o.Wire() }) {
			log.Warningf("the names in %s are the cluster's own, so none of it is published: expected ZONES without it", o.InWords())
		} else {
			left = append(left, o)
		}
	}
	return left
}

// joined returns names with commas between them.
func joined(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}
