package clusterdns

import (
	"os"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/upstream"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

func init() { plugin.Register("clusterdns", SetupAs("clusterdns")) }

// SetupAs returns the setup function of the plugin under a directive's word.
func SetupAs(word string) caddy.SetupFunc {
	return func(c *caddy.Controller) error {
		if err := setup(word, c); err != nil {
			return plugin.Error(word, err)
		}
		return nil
	}
}

func setup(word string, c *caddy.Controller) error {
	if err := claim(word, c); err != nil {
		return err
	}
	server := dnsserver.GetConfig(c)
	cfg, err := parse(c, server.Root)
	if err != nil {
		return err
	}
	if err := cfg.searchFrom(os.Getenv); err != nil {
		return err
	}
	cfg.checkSearch()
	cfg.source.Pods = cfg.source.Pods || cfg.search.mode.WatchesPods()
	log := clog.NewWithPlugin(word)
	for _, text := range cfg.warnings {
		log.Warning(text)
	}
	d := &ClusterDNS{
		name:     word,
		view:     cfg.view,
		fall:     cfg.fall,
		upstream: upstream.New(),
		search:   newSearchPath(resolvConf, log),
		answers:  collectors.Servers(),
		primary:  &xfr.Primary{Warn: func(text string) { log.Warning(text) }},
	}
	d.primary.Serve(xfr.ClusterZones{View: &d.view}, d.view.Origins)
	d.completer = newCompleter(cfg, d, d.search.node)
	fast := fastPathOf(c, log)
	c.OnStartup(func() error {
		d.view.Local = localAddrs(server.ListenHosts)
		d.limitsForeign = limitsForeign(server)
		// Only now are the server block's plugins known by their names. Nothing
		// but metadata shows labels, and they are most of what a Pod costs.
		cfg.source.PodLabels = cfg.source.Pods && server.Handler("metadata") != nil
		d.cacheServesOthers = corefile.CacheServesOthers(corefile.Ahead(server, word))
		return d.startSearch(c, fast.Blocks(), log)
	})
	attach(c, cfg, d, log)
	feedSecondaries(c, d)
	// Before the plugins that are there already, of which transfer is one.
	server.Plugin = slices.Insert(server.Plugin, 0, func(next plugin.Handler) plugin.Handler {
		return &first{next: d.primary.Track(next)}
	})
	fast.Join(server, d.onFastPath())
	passMinimal(server)
	gateCache(server, d)
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		d.Next = next
		return d
	})
	return nil
}

// claim makes sure that a server block uses the plugin under one name only.
func claim(word string, c *caddy.Controller) error {
	type claimed struct{ block int }
	key := claimed{c.ServerBlockIndex}
	if other, ok := c.Get(key).(string); ok && other != word {
		c.Next() // so that the error has the directive's line
		return c.Errf("%s and %s are the same plugin: expected one of them in a server block", other, word)
	}
	c.Set(key, word)
	return nil
}
