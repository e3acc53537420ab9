package clusterdns

import (
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/coredns/coredns/plugin/pkg/fall"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/kube"
	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

const (
	// defaultTTL is stock's: short enough for a Service that moves.
	defaultTTL = 5
	// maxTTL is the largest TTL that the property takes, in seconds.
	maxTTL = 3600
	// defaultStartupTimeout is how long the first sync may hold up the start.
	defaultStartupTimeout = 5 * time.Second
)

// config is what one directive of a Corefile asks for.
type config struct {
	source         kube.Config
	view           zone.View
	fall           fall.F
	startupTimeout time.Duration
	root           string   // folder that relative manifest paths start from
	warnings       []string // what was accepted but has no effect
}

// parse reads the directive of a server block. It has no side effects. Errors
// name the Corefile and the line.
func parse(c *caddy.Controller, root string) (*config, error) {
	var cfg *config
	for c.Next() {
		if cfg != nil {
			return nil, c.Errf("%s may be given only once in a server block", c.Val())
		}
		cfg = &config{
			view:           zone.View{TTL: defaultTTL},
			startupTimeout: defaultStartupTimeout,
			root:           root,
		}
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
			return c.Errf("unknown property '%s'", name)
		}
		if err := property(cfg, c, c.RemainingArgs()); err != nil {
			return err
		}
	}
	return cfg.check(c)
}

// parseOrigins reads the zones of the directive, or of its server block.
func (cfg *config) parseOrigins(c *caddy.Controller) error {
	args := c.RemainingArgs()
	for _, arg := range args {
		if len(plugin.Host(arg).NormalizeExact()) == 0 {
			cfg.warn("zone " + arg + " is no domain name or CIDR and is left out")
		}
	}
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
		return c.Err("a zone that is not a reverse zone is needed: reverse names point into it")
	}
	return nil
}

// check looks at properties that must agree with each other.
func (cfg *config) check(c *caddy.Controller) error {
	s := &cfg.source
	if s.Manifests != "" && (s.Endpoint != "" || s.Kubeconfig != "") {
		return c.Err("manifests takes the place of an API server: expected it without endpoint and kubeconfig")
	}
	if s.CertFile != "" && s.Endpoint == "" {
		cfg.warn("tls has no effect without endpoint")
	}
	if cfg.view.Namespaces != nil && s.NamespaceLabels != "" {
		return c.Err("namespaces and namespace_labels cannot both be set")
	}
	if s.NoEndpoints && cfg.view.Zonal {
		return c.Err("zonal names are names of endpoints: expected zonal without noendpoints")
	}
	if s.NoEndpoints && cfg.view.IgnoreEmpty {
		cfg.view.IgnoreEmpty = false
		cfg.warn("ignore empty_service has no effect with noendpoints: nobody knows which Services are empty")
	}
	return nil
}

func (cfg *config) warn(text string) { cfg.warnings = append(cfg.warnings, text) }
