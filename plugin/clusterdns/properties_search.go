package clusterdns

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// searchVariable is the environment's word for the property search, for Corefiles
// that somebody else writes.
const searchVariable = "CLUSTERDNS_SEARCH"

const (
	searchUsage = "off|names|pods [names|none]"
	// defaultSearchLabels and maxSearchLabels bound the names that are asked for outside.
	defaultSearchLabels = 2
	maxSearchLabels     = 10
)

// searchConfig is what a directive asks for of the search path.
type searchConfig struct {
	mode        completion.Mode
	set         bool // the Corefile says so
	suffixes    []string
	suffixesSet bool
	labels      int
}

// searchModes are the values of the property.
var searchModes = map[string]completion.Mode{
	"off":        completion.Off,
	"names":      completion.Names,
	"pods":       completion.Pods,
	"pods names": completion.Pods,
	"pods none":  completion.PodsAlone,
}

func parseSearch(cfg *config, c *caddy.Controller, args []string) error {
	mode, ok := searchModes[strings.Join(args, " ")]
	if !ok {
		return corefile.WrongArguments(c, "search", searchUsage)
	}
	cfg.search.mode, cfg.search.set = mode, true
	return nil
}

// searchFrom takes the mode from the environment, where the Corefile has none.
func (cfg *config) searchFrom(environment func(string) string) error {
	value := environment(searchVariable)
	if cfg.search.set || value == "" {
		return nil
	}
	mode, ok := searchModes[strings.Join(strings.Fields(value), " ")]
	if !ok {
		return fmt.Errorf("wrong value for the environment variable %s: expected %s, found %q", searchVariable, searchUsage, value)
	}
	cfg.search.mode = mode
	return nil
}

// parseSearchSuffixes reads the node's suffixes. None at all is a list, too.
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

// checkSearch looks at properties that have no effect.
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
