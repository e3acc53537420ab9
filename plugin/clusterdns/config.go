package clusterdns

import (
	"cmp"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// config has the values of one directive of a Corefile.
type config struct {
	source         kube.Config
	view           resolve.View
	fall           dnsname.Zones // zones in which the next plugin may know a name
	search         searchConfig
	noAAAA         setting[noAAAAMode]
	explain        setting[bool]
	top            setting[bool]
	startupTimeout time.Duration
	state          watch.State
	root           string            // folder for relative manifest paths
	place          string            // of the directive in the Corefile
	places         map[string]string // of the properties that say where data comes from
	badEndpoint    error             // the error of a URL that no client can use
	warnings       corefile.Warnings
}

// parse parses the directive of a server block. It has no side effects. Errors name the
// Corefile and the line.
func parse(c *caddy.Controller, root string) (*config, error) {
	var cfg *config
	for c.Next() {
		if cfg != nil {
			return nil, c.Errf("%s may be given only once in a server block", c.Val())
		}
		cfg = &config{
			view:           resolve.View{TTL: corefile.DefaultTTL},
			startupTimeout: watch.DefaultTimeout,
			root:           root,
			place:          corefile.Place(c),
			places:         map[string]string{},
		}
		cfg.warnings.Begin(c)
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
	if err := corefile.ParseBlock(cfg, c, properties, cfg.warn, repeat...); err != nil {
		return err
	}
	return cfg.check(c)
}

func (cfg *config) parseOrigins(c *caddy.Controller) error {
	origins, forward, err := corefile.ParseOrigins(c, cfg.warn)
	if err == nil && !forward {
		err = c.Err("a zone that is not a reverse zone is needed: reverse names point into it")
	}
	cfg.view.Origins = origins
	return err
}

// check checks properties that depend on each other.
func (cfg *config) check(c *caddy.Controller) error {
	s := &cfg.source
	if err := cfg.checkServer(c); err != nil {
		return err
	}
	if s.CertFile != "" && s.Endpoint == "" {
		cfg.warn("tls has no effect without endpoint")
	}
	if cfg.view.Namespaces != nil && s.NamespaceLabels != "" {
		return c.Err("namespaces and namespace_labels cannot both be set")
	}
	return cfg.checkEndpoints(c)
}

// checkEndpoints checks what takes endpoints that are not watched. Stock has noendpoints, so a
// Corefile of stock must start with it; it does not have endpoints headless.
func (cfg *config) checkEndpoints(c *caddy.Controller) error {
	s := &cfg.source
	switch {
	case s.NoEndpoints && cfg.view.Zonal:
		return c.Err("zonal names are names of endpoints: expected zonal without noendpoints")
	case s.NoEndpoints && cfg.view.IgnoreEmpty:
		cfg.view.IgnoreEmpty = false
		cfg.warn("ignore empty_service has no effect with noendpoints: nobody knows which Services are empty")
	case s.HeadlessOnly && cfg.view.IgnoreEmpty:
		return c.Err("with endpoints headless nobody knows which Services with a ClusterIP are empty: expected it without ignore empty_service")
	}
	if s.NoEndpoints && s.HeadlessOnly {
		s.HeadlessOnly = false
		cfg.warn("endpoints headless has no effect with noendpoints")
	}
	return nil
}

// standsAt records that a property that says where data comes from stands where the
// controller does. Given more than once it has no place of its own.
func (cfg *config) standsAt(c *caddy.Controller, property string) {
	place := corefile.Place(c)
	if _, again := cfg.places[property]; again {
		place = ""
	}
	cfg.places[property] = place
}

// sourcePlace returns the place of the property that an error of a start is about, or of the
// directive.
func (cfg *config) sourcePlace() string { return cmp.Or(cfg.places[cfg.origin()], cfg.place) }

// origin returns the property that an error of a start is about, or "" if the server is in a
// Pod.
func (cfg *config) origin() string {
	switch s := &cfg.source; {
	case s.Manifests != "":
		return "manifests"
	case s.Kubeconfig != "":
		return "kubeconfig"
	case s.Endpoint == "":
		return ""
	case s.CertFile+s.KeyFile+s.CAFile != "":
		return "tls" // its files are what a start looks at
	}
	return "endpoint"
}

// checkServer checks which API server there is, or none.
func (cfg *config) checkServer(c *caddy.Controller) error {
	s := &cfg.source
	switch {
	case s.Manifests != "" && (s.Endpoint != "" || s.Kubeconfig != ""):
		return c.Err("manifests takes the place of an API server: expected it without endpoint and kubeconfig")
	case s.Manifests != "" && cfg.state.Path != "":
		return c.Err("state is for a start without an API server, and manifests need none: expected one of them")
	case s.Manifests != "" && (s.QPS != 0 || s.Burst != 0 || s.MaxInflight != 0):
		cfg.warn("apiserver_qps, apiserver_burst and apiserver_max_inflight have no effect with manifests")
	case s.Kubeconfig == "":
		return cfg.badEndpoint
	case s.Endpoint != "":
		cfg.warn("endpoint and tls have no effect with kubeconfig")
	}
	return nil
}

func (cfg *config) warn(text string) { cfg.warnings.Add(text) }

// sourceFor returns which objects to watch for a server block, whose plugins must be known
// by their names. Labels are watched only if there is the plugin metadata, which alone
// shows them, because they take most of the memory of a Pod. What k8s_gateway publishes comes from
// the same watcher.
func (cfg *config) sourceFor(server *dnsserver.Config) kube.Config {
	source := cfg.source
	source.Pods = source.Pods || cfg.search.mode.WatchesPods()
	source.PodLabels = source.Pods && server.Handler("metadata") != nil
	if p, ok := server.Handler("k8s_gateway").(interface{ Publishes() publish.Settings }); ok {
		source.Published = p.Publishes()
		source.Published.Except = strings.Join(cfg.view.OriginNames(), ",")
	}
	return source
}
