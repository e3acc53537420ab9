package clusterdns

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// properties are the properties of the directive, by name.
var properties = map[string]corefile.Property[*config]{
	"apiserver_burst":        parseBurst,
	"apiserver_max_inflight": parseMaxInflight,
	"apiserver_qps":          parseQPS,
	"endpoint":               parseEndpoint,
	"endpoint_pod_names":     parsePodNames,
	"endpoints":              parseEndpoints,
	"explain":                parseExplain,
	"fallthrough":            parseFallthrough,
	"ignore":                 parseIgnore,
	"kubeconfig":             parseKubeconfig,
	"labels":                 parseLabels,
	"manifests":              parseManifests,
	"multicluster":           parseMultiCluster,
	"namespace_labels":       parseNamespaceLabels,
	"namespaces":             parseNamespaces,
	"no_aaaa":                parseNoAAAA,
	"noendpoints":            parseNoEndpoints,
	"pods":                   parsePods,
	"search":                 parseSearch,
	"search_labels":          parseSearchLabels,
	"search_suffixes":        parseSearchSuffixes,
	"startup_timeout":        parseStartupTimeout,
	"state":                  parseState,
	"tls":                    parseTLS,
	"top":                    parseTop,
	"ttl":                    parseTTL,
	"zonal":                  parseZonal,
}

// repeat has the properties of which a second line adds to the first, or changes nothing.
var repeat = []string{"endpoint_pod_names", "ignore", "manifests", "multicluster", "namespaces", "noendpoints", "zonal"}

func parseEndpoint(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, "endpoint", "URL")
	}
	if len(args) > 1 {
		cfg.warn("endpoint takes one URL: only the first is used") // its URL may have a password in it
	}
	cfg.standsAt(c, "endpoint")
	cfg.source.Endpoint, cfg.badEndpoint = args[0], nil
	// client-go takes for a host what has no scheme or no host.
	if u, err := url.Parse(args[0]); err == nil && u.Host != "" && !slices.Contains([]string{"", "http", "https"}, u.Scheme) {
		cfg.badEndpoint = c.Errf("endpoint: expected a URL with http or https, found %s", u.Scheme)
	}
	return nil
}

func parseTLS(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 3 {
		return corefile.WrongArguments(c, "tls", "CERT KEY CACERT")
	}
	cfg.standsAt(c, "tls")
	cfg.source.CertFile, cfg.source.KeyFile, cfg.source.CAFile = args[0], args[1], args[2]
	return nil
}

func parseKubeconfig(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 && len(args) != 2 {
		return corefile.WrongArguments(c, "kubeconfig", "FILE [CONTEXT]")
	}
	cfg.standsAt(c, "kubeconfig")
	cfg.source.Kubeconfig, cfg.source.Context = args[0], ""
	if len(args) == 2 {
		cfg.source.Context = args[1]
	}
	return nil
}

func parseManifests(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, "manifests", "PATH...")
	}
	cfg.standsAt(c, "manifests")
	paths := make([]string, len(args))
	for i, arg := range args {
		path, err := cfg.path(c, "manifests", arg)
		if err != nil {
			return err
		}
		paths[i] = path
	}
	if cfg.source.Manifests != "" {
		paths = append([]string{cfg.source.Manifests}, paths...)
	}
	cfg.source.Manifests = kube.ManifestPaths(paths...)
	return nil
}

// path returns a path of a property. A relative one begins at the server block's root.
func (cfg *config) path(c *caddy.Controller, property, path string) (string, error) {
	switch {
	case path == "":
		return "", c.Errf("%s: expected a path, found nothing between the quotes", property)
	case !filepath.IsAbs(path):
		path = filepath.Join(cfg.root, path)
	}
	return path, nil
}

// defaultMaxAge is how old a state may be, unless the Corefile says otherwise.
const defaultMaxAge = 24 * time.Hour

func parseState(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 && len(args) != 2 {
		return corefile.WrongArguments(c, "state", "FILE [MAX_AGE]")
	}
	path, err := cfg.path(c, "state", args[0])
	if err != nil {
		return err
	}
	cfg.state = watch.State{Path: filepath.Clean(path), MaxAge: defaultMaxAge}
	if len(args) == 2 {
		cfg.state.MaxAge, err = time.ParseDuration(args[1])
		if err != nil || cfg.state.MaxAge < time.Second {
			return c.Errf("state: MAX_AGE must be a duration such as 24h, at least 1s: %s", args[1])
		}
	}
	return nil
}

func parseLabels(cfg *config, c *caddy.Controller, args []string) error {
	return selector(&cfg.source.Labels, c, "labels", args)
}

func parseNamespaceLabels(cfg *config, c *caddy.Controller, args []string) error {
	return selector(&cfg.source.NamespaceLabels, c, "namespace_labels", args)
}

// selector parses a label selector, which may contain spaces.
func selector(text *string, c *caddy.Controller, name string, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, name, "SELECTOR")
	}
	*text = strings.Join(args, " ")
	if err := kube.CheckSelector(*text); err != nil {
		return c.Errf("%s: %v", name, err)
	}
	return nil
}

func parseMultiCluster(cfg *config, c *caddy.Controller, args []string) error {
	zones := plugin.OriginsFromArgsOrServerBlock(args, nil)
	corefile.InspectZones("multicluster zone", args, cfg.warn)
	if len(zones) == 0 {
		cfg.warn("multicluster has no effect: expected zones of the directive, found none")
	}
	for _, text := range zones {
		i := slices.IndexFunc(cfg.view.Origins, func(o resolve.Origin) bool { return o.String() == text })
		if i < 0 {
			return c.Errf("multicluster zone %s is not among the zones of the directive: expected one of %v", text, cfg.view.Origins)
		}
		cfg.view.Origins[i].ClusterSet = true
		cfg.source.MultiCluster = true
	}
	return nil
}

// namespaceName has the names that an API server accepts for a Namespace.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func parseNamespaces(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, "namespaces", "NAMESPACE...")
	}
	if cfg.view.Namespaces == nil {
		cfg.view.Namespaces = map[string]struct{}{}
	}
	for _, name := range args {
		name = strings.ToLower(name)
		if !namespaceName.MatchString(name) {
			cfg.warn(fmt.Sprintf("namespaces: no Namespace can be named %q: expected a DNS label (RFC 1123)", name))
		}
		cfg.view.Namespaces[name] = struct{}{}
	}
	return nil
}

func parsePods(cfg *config, c *caddy.Controller, args []string) error {
	modes := map[string]resolve.PodMode{
		"disabled": resolve.PodsDisabled,
		"insecure": resolve.PodsInsecure,
		"verified": resolve.PodsVerified,
	}
	if len(args) != 1 {
		return corefile.WrongArguments(c, "pods", "disabled|insecure|verified")
	}
	mode, ok := modes[args[0]]
	if !ok {
		return c.Errf("wrong value for pods: %s, must be one of: disabled, verified, insecure", args[0])
	}
	cfg.view.Pods = mode
	cfg.source.Pods = mode == resolve.PodsVerified
	return nil
}

func parsePodNames(cfg *config, c *caddy.Controller, args []string) error {
	cfg.view.PodNames, cfg.source.PodNames = true, true
	return none(c, "endpoint_pod_names", args)
}

func parseNoEndpoints(cfg *config, c *caddy.Controller, args []string) error {
	cfg.source.NoEndpoints = true
	return none(c, "noendpoints", args)
}

func parseEndpoints(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 || args[0] != "all" && args[0] != "headless" {
		return corefile.WrongArguments(c, "endpoints", "all|headless")
	}
	cfg.source.HeadlessOnly = args[0] == "headless"
	return nil
}

func parseIgnore(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		cfg.warn("ignore has no effect without empty_service")
		return nil
	}
	if args[0] != "empty_service" {
		return c.Errf("wrong value for ignore: %s, must be empty_service", args[0])
	}
	if len(args) > 1 {
		cfg.warn("ignore takes one argument: only empty_service is used")
	}
	cfg.view.IgnoreEmpty = true
	return nil
}

func parseZonal(cfg *config, c *caddy.Controller, args []string) error {
	cfg.view.Zonal, cfg.source.TopologyZones = true, true
	return none(c, "zonal", args)
}

func parseFallthrough(cfg *config, _ *caddy.Controller, args []string) error {
	cfg.fall = corefile.ParseFallthrough(args, cfg.warn)
	return nil
}

func parseTTL(cfg *config, c *caddy.Controller, args []string) error {
	ttl, err := corefile.ParseTTL(c, args, cfg.warn)
	cfg.view.TTL = ttl
	return err
}

func parseStartupTimeout(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) == 0 {
		return corefile.WrongArguments(c, "startup_timeout", "DURATION")
	}
	if len(args) > 1 {
		cfg.warn("startup_timeout takes one argument: only " + args[0] + " is used")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d < 0 {
		return c.Errf("startup_timeout must be a duration such as 5s, or 0s not to wait: %s", args[0])
	}
	cfg.startupTimeout = d
	return nil
}

func parseQPS(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 {
		return corefile.WrongArguments(c, "apiserver_qps", "QPS")
	}
	qps, err := strconv.ParseFloat(args[0], 32)
	// The comparison is false for NaN too, which ParseFloat accepts.
	if err != nil || !(qps >= 0) {
		return c.Errf("apiserver_qps must be a number >= 0: %s", args[0])
	}
	cfg.source.QPS = float32(qps)
	return nil
}

func parseBurst(cfg *config, c *caddy.Controller, args []string) error {
	return count(&cfg.source.Burst, c, "apiserver_burst", args)
}

func parseMaxInflight(cfg *config, c *caddy.Controller, args []string) error {
	return count(&cfg.source.MaxInflight, c, "apiserver_max_inflight", args)
}

// count parses a single number that is not negative.
func count(n *int, c *caddy.Controller, name string, args []string) error {
	if len(args) != 1 {
		return corefile.WrongArguments(c, name, "NUMBER")
	}
	i, err := strconv.Atoi(args[0])
	if err != nil || i < 0 {
		return c.Errf("%s must be a whole number >= 0: %s", name, args[0])
	}
	*n = i
	return nil
}

func none(c *caddy.Controller, name string, args []string) error {
	if len(args) != 0 {
		return corefile.WrongArguments(c, name, "without arguments")
	}
	return nil
}

const (
	// searchVariable is the environment variable that replaces the property search.
	searchVariable = "CLUSTERDNS_SEARCH"

	// defaultSearchLabels and maxSearchLabels are the default and the largest value of the
	// property search_labels.
	defaultSearchLabels = 2
	maxSearchLabels     = 10
)

// searchConfig has the values of the directive about the search path.
type searchConfig struct {
	setting[completion.Mode]

	suffixes    []string
	suffixesSet bool
	labels      int
}

var searchModes = &modeTable[completion.Mode]{
	property: "search", variable: searchVariable, usage: "off|names|pods [names|none]",
	values: map[string]completion.Mode{
		"off":        completion.Off,
		"names":      completion.Names,
		"pods":       completion.Pods,
		"pods names": completion.Pods,
		"pods none":  completion.PodsAlone,
	},
}

func parseSearch(cfg *config, c *caddy.Controller, args []string) error {
	return cfg.search.parse(searchModes, c, args)
}

func (cfg *config) searchFrom(environment func(string) string) error {
	return cfg.search.from(searchModes, environment)
}

// parseSearchSuffixes parses the node's suffixes. Without arguments the node has none.
func parseSearchSuffixes(cfg *config, c *caddy.Controller, args []string) error {
	cfg.search.suffixes, cfg.search.suffixesSet = nil, true
	for _, text := range args {
		n, err := dnsname.Parse(text)
		if err != nil {
			return c.Errf("search_suffixes expects domain names: %s", text)
		}
		cfg.search.suffixes = append(cfg.search.suffixes, n.Wire())
	}
	return nil
}

func parseSearchLabels(cfg *config, c *caddy.Controller, args []string) error {
	if len(args) != 1 {
		return corefile.WrongArguments(c, "search_labels", "NUMBER")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < defaultSearchLabels || n > maxSearchLabels {
		return c.Errf("search_labels must be a number of labels in range [%d, %d]: %s", defaultSearchLabels, maxSearchLabels, args[0])
	}
	cfg.search.labels = n
	return nil
}

// checkSearch warns about properties that have no effect.
func (cfg *config) checkSearch() {
	if cfg.search.mode != completion.Off {
		return
	}
	if cfg.search.suffixesSet {
		cfg.warn("search_suffixes has no effect without search")
	}
	if cfg.search.labels > 0 {
		cfg.warn("search_labels has no effect without search")
	}
}

// suffixes returns the suffixes of the node, in wire form: those of the property, or else
// those of the search list of the server's own node. If the server uses the cluster's DNS
// as other Pods do, that list begins with suffixes of the cluster, which are left out.
func (cfg *config) suffixes(node []string) []string {
	if cfg.search.suffixesSet {
		return cfg.search.suffixes
	}
	var wires []string
	for _, suffix := range node {
		n, err := dnsname.Parse(suffix)
		if err == nil && cfg.view.Origin(&n) == nil {
			wires = append(wires, n.Wire())
		}
	}
	return wires
}
