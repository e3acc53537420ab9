package gateway

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/caddy"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const (
	// defaultTTL and defaultServer are those of the plugin whose place this one takes.
	defaultTTL    = 60
	defaultServer = "dns1.kube-system"
	// startBurst is how many requests a start may send at once: for eight kinds, of which the API
	// server may not have most. After that startQPS applies, which is client-go's own.
	startBurst = 40
	startQPS   = 5
)

// resources are the kinds that the property resources names.
var resources = map[string]publish.Kinds{
	"Ingress":     publish.Ingresses,
	"Service":     publish.Services,
	"HTTPRoute":   publish.HTTPRoutes,
	"TLSRoute":    publish.TLSRoutes,
	"GRPCRoute":   publish.GRPCRoutes,
	"DNSEndpoint": publish.DNSEndpoints,
	"Node":        publish.Nodes,
}

// config has the values of the directive of a server block.
type config struct {
	view         view
	fall         dnsname.Zones
	source       kube.Config
	ownSource    error // the error if the server block has a cluster besides; nil if the directive names none
	needsCluster error // the error if the server block has none; nil unless that matters
	servers      [2]string
	root         string // folder for relative manifest paths
	place        string
	warnings     corefile.Warnings
}

// parse parses the directive of a server block. It has no side effects.
func parse(c *caddy.Controller, root string) (*config, error) {
	var cfg *config
	for c.Next() {
		if cfg != nil {
			return nil, c.Errf("%s may be given only once in a server block", pluginName)
		}
		cfg = &config{root: root, place: corefile.Place(c), servers: [2]string{defaultServer}}
		cfg.view.zones.TTL = defaultTTL
		cfg.source.PublishedOnly = true
		cfg.source.QPS, cfg.source.Burst = startQPS, startBurst
		cfg.source.Published.Kinds, cfg.source.Published.NodeAddress = publish.Ingresses|publish.Services, nodeAddresses[0]
		cfg.warnings.Begin(c)
		if err := cfg.parseOne(c); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

func (cfg *config) parseOne(c *caddy.Controller) error {
	origins, _, err := corefile.ParseOrigins(c, cfg.warn)
	if err != nil {
		return err
	}
	cfg.view.zones = resolve.View{Origins: origins, TTL: cfg.view.zones.TTL, Published: true}
	if err := corefile.ParseBlock(cfg, c, properties, cfg.warn, "insideService", "manifests"); err != nil {
		return err
	}
	if cfg.source.Kubeconfig != "" && cfg.source.Manifests != "" {
		return c.Err("manifests takes the place of an API server: expected it without kubeconfig")
	}
	cfg.source.Published.Zones = joined(cfg.view.zones.OriginNames())
	if err := cfg.setServers(c); err != nil {
		return err
	}
	cfg.setInside()
	return nil
}

// setInside completes what the properties about the inside say. Names that no object has are the next
// plugin's there, the zones' own name and those of their servers among them.
func (cfg *config) setInside() {
	p := &cfg.source.Published
	if cfg.view.inside {
		p.Inside, p.Servers = true, ""
		cfg.fall = corefile.ParseFallthrough(nil, cfg.warn)
		return
	}
	if p.InsideLabel != "" || p.InsideServices != "" {
		cfg.warn("insideLabel and insideService have no effect without inside")
	}
	p.InsideLabel, p.InsideServices = "", ""
}

// setServers sets the names of the servers. Without a second one its name is empty. A name with two labels
// is that of a Service, <service>.<namespace>.
func (cfg *config) setServers(c *caddy.Controller) error {
	var parsed [2]dnsname.Name
	var services []string
	for i, text := range cfg.servers {
		n, err := dnsname.Parse(text)
		if text != "" && (err != nil || n.Labels() == 0) {
			return c.Errf("apex and secondary must be names below the zones: %s", text)
		}
		if parsed[i] = n; n.Labels() == 2 {
			services = append(services, strings.ToLower(strings.TrimSuffix(text, ".")))
		}
		if o := cfg.view.zones.Origin(&n); text != "" && (strings.HasSuffix(text, ".") || o != nil && o.Labels() > 0) {
			cfg.warn("apex and secondary are names below each zone: " + text + " is " + dnsname.Below(cfg.view.zones.Origins[0].String(), strings.TrimSuffix(text, ".")) + ", and expected is a name such as dns1.kube-system")
		}
	}
	if parsed[0].Wire() == parsed[1].Wire() {
		cfg.warn("secondary is the name of another server: expected another one than that of apex, " + cfg.servers[0])
		parsed[1], cfg.servers[1] = dnsname.Name{}, ""
	}
	cfg.source.Published.Servers = joined(services)
	cfg.view.setServers(parsed[0], parsed[1], cfg.servers[1])
	return cfg.checkLength(c)
}

// checkLength returns an error if the names of an SOA record would be too long.
func (cfg *config) checkLength(c *caddy.Controller) error {
	for _, o := range cfg.view.zones.Origins {
		ns, mbox := cfg.view.zones.SOANames(&o, o.String())
		if dnsname.TooLong(ns) || dnsname.TooLong(mbox) {
			return c.Errf("apex %s: %s is too long for a name: expected a shorter one", cfg.servers[0], mbox)
		}
	}
	return nil
}

// properties are the properties of the directive, by name.
var properties = map[string]corefile.Property[*config]{
	"apex":                  parseApex,
	"fallthrough":           parseFallthrough,
	"gatewayClasses":        parseGatewayClasses,
	"ingressClasses":        parseIngressClasses,
	"inside":                parseInside,
	"insideLabel":           parseInsideLabel,
	"insideService":         parseInsideService,
	"kubeconfig":            parseKubeconfig,
	"manifests":             parseManifests,
	"nodeAddressType":       parseNodeAddressType,
	"resources":             parseResources,
	"secondary":             parseSecondary,
	"serviceLabelSelectors": parseServiceLabelSelectors,
	"ttl":                   parseTTL,
}

func parseApex(cfg *config, c *caddy.Controller, args []string) error {
	return parseServer(cfg, c, "apex", &cfg.servers[0], args)
}

func parseSecondary(cfg *config, c *caddy.Controller, args []string) error {
	return parseServer(cfg, c, "secondary", &cfg.servers[1], args)
}

func parseServer(cfg *config, c *caddy.Controller, property string, server *string, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return corefile.WrongArguments(c, property, "NAME")
	}
	if len(args) > 1 {
		cfg.warn(property + " takes one argument: only " + args[0] + " is used")
	}
	*server = args[0]
	return nil
}

func parseFallthrough(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.fall = corefile.ParseFallthrough(args, cfg.warn)
	return nil
}

func parseGatewayClasses(cfg *config, c *caddy.Controller, args []string) error {
	return parseClasses(c, "gatewayClasses", &cfg.source.Published.GatewayClasses, args)
}

func parseIngressClasses(cfg *config, c *caddy.Controller, args []string) error {
	return parseClasses(c, "ingressClasses", &cfg.source.Published.IngressClasses, args)
}

func parseClasses(c *caddy.Controller, property string, classes *string, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, property, "CLASS...")
	}
	*classes = joined(args)
	return nil
}

// parseServiceLabelSelectors adds selectors, as several of these lines do in the plugin of others.
func parseServiceLabelSelectors(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 || slices.Contains(args, "") {
		return corefile.WrongArguments(c, "serviceLabelSelectors", "SELECTOR...")
	}
	p := &cfg.source.Published
	for _, text := range args {
		if err := kube.CheckSelector(text); err != nil {
			return c.Errf("serviceLabelSelectors: expected label selectors as kubectl takes them, such as app=web,tier!=test: %v", err)
		}
		p.ServiceLabels = strings.TrimPrefix(p.ServiceLabels+"\n"+text, "\n")
	}
	return nil
}

// nodeAddresses are the types of addresses that Nodes may be asked for, the default first.
var nodeAddresses = []string{"InternalIP", "ExternalIP"}

func parseNodeAddressType(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 || !slices.Contains(nodeAddresses, args[0]) {
		return corefile.WrongArguments(c, "nodeAddressType", strings.Join(nodeAddresses, "|"))
	}
	cfg.source.Published.NodeAddress = args[0]
	return nil
}

func parseInside(cfg *config, c *caddy.Controller, args []string) error {
	cfg.needsCluster = c.Err("inside leads to Services of the cluster: expected kubernetes or clusterdns in the same server block")
	if cfg.view.inside = true; len(args) > 0 {
		cfg.warn("inside takes no arguments: they have no effect")
	}
	return nil
}

func parseInsideLabel(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 || len(validation.IsDNS1123Subdomain(args[0])) > 0 {
		return corefile.WrongArguments(c, "insideLabel", "PREFIX")
	}
	cfg.source.Published.InsideLabel = args[0]
	return nil
}

// parseInsideService adds the Service of an Ingress class.
func parseInsideService(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 2 || strings.ContainsAny(args[0], ",=") || len(validation.IsDNS1123Subdomain(strings.Replace(args[1], "/", ".", 1))) > 0 || strings.Count(args[1], "/") != 1 {
		return corefile.WrongArguments(c, "insideService", "CLASS NAMESPACE/SERVICE")
	}
	pairs := append(strings.Split(cfg.source.Published.InsideServices, ","), args[0]+"="+args[1])
	cfg.source.Published.InsideServices = joined(slices.DeleteFunc(pairs, func(pair string) bool { return pair == "" }))
	return nil
}

func parseKubeconfig(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return corefile.WrongArguments(c, "kubeconfig", "FILE [CONTEXT]")
	}
	cfg.source.Kubeconfig, cfg.source.Context = args[0], ""
	if len(args) == 2 {
		cfg.source.Context = args[1]
	}
	cfg.hasSource(c, "kubeconfig")
	return nil
}

func parseManifests(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 || slices.Contains(args, "") {
		return corefile.WrongArguments(c, "manifests", "PATH...")
	}
	var paths []string
	if cfg.source.Manifests != "" {
		paths = append(paths, cfg.source.Manifests)
	}
	for _, path := range args {
		if !filepath.IsAbs(path) {
			path = filepath.Join(cfg.root, path)
		}
		paths = append(paths, path)
	}
	cfg.source.Manifests = kube.ManifestPaths(paths...)
	cfg.hasSource(c, "manifests")
	return nil
}

// hasSource records that the directive says where the objects come from.
func (cfg *config) hasSource(c *caddy.Controller, property string) {
	cfg.ownSource = c.Errf("the objects come from kubernetes or clusterdns in the same server block: expected %s there", property)
}

func knownResources() string { return strings.Join(slices.Sorted(maps.Keys(resources)), ", ") }

func parseResources(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, "resources", "RESOURCE...")
	}
	cfg.source.Published.Kinds = 0
	for _, name := range args {
		kind, known := resources[name]
		if !known {
			cfg.warn("resources: " + name + " is not known and is left out: expected some of " + knownResources())
		}
		cfg.source.Published.Kinds |= kind
	}
	if cfg.source.Published.Kinds == 0 {
		return c.Errf("resources: expected some of %s", knownResources())
	}
	return nil
}

func parseTTL(cfg *config, c *caddy.Controller, args []string) error {
	ttl, err := corefile.ParseTTL(c, args, cfg.warn)
	cfg.view.zones.TTL = ttl
	return err
}

func (cfg *config) warn(text string) { cfg.warnings.Add(text) }
