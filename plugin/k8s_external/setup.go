package external

import (
	"strconv"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/coredns/coredns/plugin/pkg/fall"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/upstream"

	"github.com/clusterdns/clusterdns/plugin/clusterdns"
	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

const (
	defaultTTL  = 5
	maxTTL      = 3600
	defaultApex = "dns"
)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	cfg, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	log := clog.NewWithPlugin(pluginName)
	for _, text := range cfg.warnings {
		log.Warning(text)
	}
	e := &External{view: cfg.view, fall: cfg.fall, upstream: upstream.New()}
	server := dnsserver.GetConfig(c)
	// Only at the start are the server block's handlers known by their names.
	c.OnStartup(func() error {
		if e.cluster = clusterOf(server); e.cluster == nil {
			return plugin.Error(pluginName, cfg.alone)
		}
		e.view.Cluster = e.cluster.View()
		return nil
	})
	server.AddPlugin(func(next plugin.Handler) plugin.Handler {
		e.Next = next
		return e
	})
	return nil
}

// clusterOf is the handler of the server block that knows a cluster, or nil.
func clusterOf(server *dnsserver.Config) *clusterdns.ClusterDNS {
	for _, word := range []string{"kubernetes", "clusterdns"} {
		if d, ok := server.Handler(word).(*clusterdns.ClusterDNS); ok {
			return d
		}
	}
	return nil
}

// config is what the directives of a server block ask for.
type config struct {
	view     zone.ExternalView
	fall     fall.F
	alone    error    // what is wrong if the server block knows no cluster
	warnings []string // what was accepted but has no effect
}

// parse reads the directive of a server block. It has no side effects. Errors
// name the Corefile and the line. A directive that is repeated adds to the one
// before it, but has its own zones, as with stock CoreDNS.
func parse(c *caddy.Controller) (*config, error) {
	cfg := &config{view: zone.ExternalView{TTL: defaultTTL}}
	if err := parseApex(cfg, c, []string{defaultApex}); err != nil {
		return nil, err
	}
	for c.Next() {
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
	for c.NextBlock() {
		name := c.Val()
		property, ok := properties[name]
		if !ok {
			return c.Errf("unknown property '%s': expected apex, ttl, headless or fallthrough", name)
		}
		if err := property(cfg, c, c.RemainingArgs()); err != nil {
			return err
		}
	}
	return nil
}

// parseOrigins reads the zones of the directive, or of its server block.
func (cfg *config) parseOrigins(c *caddy.Controller) error {
	args := c.RemainingArgs()
	for _, arg := range args {
		if len(plugin.Host(arg).NormalizeExact()) == 0 {
			cfg.warn("zone " + arg + " is no domain name or CIDR and is left out")
		}
	}
	cfg.view.Origins = nil
	forward := false
	for _, text := range plugin.OriginsFromArgsOrServerBlock(args, c.ServerBlockKeys) {
		o, err := zone.ParseOrigin(text)
		if err != nil {
			return c.Errf("zone '%s' is not a domain name or CIDR", text)
		}
		cfg.view.Origins = append(cfg.view.Origins, o)
		forward = forward || dnsutil.IsReverse(text) == 0
	}
	if !forward {
		cfg.warn("all zones are reverse zones: the names that addresses have do not exist")
	}
	return nil
}

// property reads the arguments of one line of the directive's block.
type property func(cfg *config, c *caddy.Controller, args []string) error

// properties are all that the directive takes, by name.
var properties = map[string]property{
	"apex":        parseApex,
	"fallthrough": parseFallthrough,
	"headless":    parseHeadless,
	"ttl":         parseTTL,
}

func parseApex(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return c.Err("wrong arguments for apex: expected apex LABEL")
	}
	cfg.single("apex", args)
	name, err := zone.ParseName(args[0])
	if err != nil || name.String() == "." {
		return c.Errf("apex must be a DNS label: %s", args[0])
	}
	cfg.view.Apex = name
	return nil
}

func parseTTL(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return c.Err("wrong arguments for ttl: expected ttl SECONDS")
	}
	cfg.single("ttl", args)
	ttl, err := strconv.Atoi(args[0])
	if err != nil || ttl < 0 || ttl > maxTTL {
		return c.Errf("ttl must be a number of seconds in range [0, %d]: %s", maxTTL, args[0])
	}
	cfg.view.TTL = uint32(ttl)
	return nil
}

func parseHeadless(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.view.Headless = true
	if len(args) > 0 {
		cfg.warn("headless takes no arguments: they have no effect")
	}
	return nil
}

func parseFallthrough(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.fall.SetZonesFromArgs(args)
	return nil
}

// single warns of arguments behind the one that counts.
func (cfg *config) single(name string, args []string) {
	if len(args) > 1 {
		cfg.warn(name + " takes one argument: only " + args[0] + " is used")
	}
}

func (cfg *config) warn(text string) { cfg.warnings = append(cfg.warnings, text) }
