package external

import (
	"fmt"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/upstream"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const defaultApex = "dns"

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	cfg, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	log := clog.NewWithPlugin(pluginName)
	for _, text := range cfg.warnings.All() {
		log.Warning(text)
	}
	h := &handler{view: cfg.view, fall: cfg.fall, upstream: upstream.New()}
	server := dnsserver.GetConfig(c)
	corefile.AtStart(c, func() error {
		if h.cluster = clusterdns.Of(server); h.cluster == nil {
			return plugin.Error(pluginName, cfg.alone)
		}
		h.view.show(h.cluster.View())
		for _, text := range shadowed(h.view.zones.Origins, h.cluster.View().Origins, h.fall) {
			log.Warning(cfg.place + ": " + text)
		}
		h.cluster.Primary().Serve(&h.view, h.view.zones.Origins)
		h.cluster.CacheGate().Add(h)
		return nil
	})
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		h.Next = next
		return h
	})
	return nil
}

// shadowed returns a text about each zone that has a zone of the cluster in it, for which
// names that do not exist outside do not go on to the cluster. A CIDR may be a hundred such zones.
func shadowed(outside, inside []resolve.Origin, fall dnsname.Zones) (texts []string) {
	hidden := make([][]resolve.Origin, len(outside))
	for _, zone := range inside {
		i := slices.IndexFunc(outside, func(o resolve.Origin) bool { return o.EnclosesOrigin(zone.Origin) })
		through := slices.ContainsFunc(fall, func(o dnsname.Origin) bool { return o.EnclosesOrigin(zone.Origin) })
		if i >= 0 && !through {
			hidden[i] = append(hidden[i], zone)
		}
	}
	for i, zones := range hidden {
		if len(zones) == 0 {
			continue
		}
		which := "zone " + zones[0].String()
		if others := len(zones) - 1; others > 0 {
			which += fmt.Sprintf(" and %d others", others)
		}
		texts = append(texts, fmt.Sprintf("%s has the cluster's %s in it, whose names do not exist here: expected other zones, or fallthrough", outside[i].InWords(), which))
	}
	return texts
}

// config has the values of the directives of a server block.
type config struct {
	view     view
	fall     dnsname.Zones
	alone    error  // the error if the server block has no cluster
	place    string // of the last directive
	warnings corefile.Warnings
}

// parse parses the directives of a server block. It has no side effects. Errors name the
// Corefile and the line. A repeated directive adds to the one before it, but has its own
// zones, as in stock CoreDNS.
func parse(c *caddy.Controller) (*config, error) {
	cfg := &config{view: view{zones: resolve.View{TTL: corefile.DefaultTTL}}}
	if err := parseApex(cfg, c, []string{defaultApex}); err != nil {
		return nil, err
	}
	for c.Next() {
		cfg.warnings.Begin(c)
		cfg.place = corefile.Place(c)
		if cfg.alone != nil {
			cfg.warn(pluginName + " is given more than once in a server block: only the zones of the last are served")
		}
		cfg.alone = c.Err("there is no cluster to show: expected kubernetes or clusterdns in the same server block")
		if err := cfg.parseOne(c); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

func (cfg *config) parseOne(c *caddy.Controller) error {
	if err := cfg.parseOrigins(c); err != nil {
		return err
	}
	return corefile.ParseBlock(cfg, c, properties, cfg.warn, "headless")
}

func (cfg *config) parseOrigins(c *caddy.Controller) error {
	origins, forward, err := corefile.ParseOrigins(c, cfg.warn)
	if err == nil && !forward {
		cfg.warn("all zones are reverse zones: the names that addresses have do not exist")
	}
	cfg.view.zones.Origins = origins
	return err
}

// properties are the properties of the directive, by name.
var properties = map[string]corefile.Property[*config]{
	"apex":        parseApex,
	"fallthrough": parseFallthrough,
	"headless":    parseHeadless,
	"ttl":         parseTTL,
}

func parseApex(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return c.Err("wrong arguments for apex: expected apex LABEL")
	}
	if len(args) > 1 {
		cfg.warn("apex takes one argument: only " + args[0] + " is used")
	}
	name, err := dnsname.Parse(args[0])
	if err != nil || name.String() == "." {
		return c.Errf("apex must be a DNS label: %s", args[0])
	}
	cfg.view.apex = name
	return nil
}

func parseTTL(cfg *config, c *caddy.Controller, args []string) error {
	ttl, err := corefile.ParseTTL(c, args, cfg.warn)
	cfg.view.zones.TTL = ttl
	return err
}

func parseHeadless(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.view.headless = true
	if len(args) > 0 {
		cfg.warn("headless takes no arguments: they have no effect")
	}
	return nil
}

func parseFallthrough(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.fall = corefile.ParseFallthrough(args, cfg.warn)
	return nil
}

func (cfg *config) warn(text string) { cfg.warnings.Add(text) }
