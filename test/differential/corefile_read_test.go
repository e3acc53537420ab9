package differential

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
)

const (
	pluginName = "kubernetes"
	defaultTTL = 5
	// defaultCacheTTL is the largest TTL that the plugin cache keeps by default.
	defaultCacheTTL = 3600
)

// readBlock reads what matchers need to know from the block that is compared.
func (c *corefile) readBlock(block caddyfile.ServerBlock) error {
	_, c.port = splitPort(block.Keys[0], dnsPort)
	_, shuffled := block.Tokens["loadbalance"]
	_, c.transfer = block.Tokens["transfer"]
	_, c.bound = block.Tokens["bind"]
	_, c.autopath = block.Tokens["autopath"]
	_, c.minimal = block.Tokens["minimal"]
	c.retyped = slices.ContainsFunc(block.Tokens["rewrite"], func(t caddyfile.Token) bool { return t.Text == "AAAA" })
	c.ordered = !shuffled
	if tokens, ok := block.Tokens["cache"]; ok {
		c.cached, c.cacheTTL = true, defaultCacheTTL
		if err := c.readCache(tokens); err != nil {
			return err
		}
	}
	d := caddyfile.NewDispenserTokens(c.name, block.Tokens[pluginName])
	d.Next()
	for _, origin := range plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), block.Keys) {
		c.addOrigin(origin)
	}
	for d.NextBlock() {
		if err := c.readProperty(d.Val(), d.RemainingArgs()); err != nil {
			return err
		}
	}
	return c.readExternal(block)
}

// readCache reads the time to live and the zone that is not cached.
func (c *corefile) readCache(tokens []caddyfile.Token) (err error) {
	d := caddyfile.NewDispenserTokens(c.name, tokens)
	d.Next()
	if args := d.RemainingArgs(); len(args) > 0 {
		if c.cacheTTL, err = seconds(args[0]); err != nil {
			return fmt.Errorf("cache: %w", err)
		}
	}
	for d.NextBlock() {
		property := d.Val()
		if args := d.RemainingArgs(); property == "disable" && len(args) == 2 && args[0] == "success" {
			c.uncached = plugin.OriginsFromArgsOrServerBlock(args[1:], nil)[0]
		}
	}
	return nil
}

// readProperty reads one property of our plugin. Matchers need to know only a few.
func (c *corefile) readProperty(name string, args []string) (err error) {
	switch name {
	case "namespaces":
		c.namespaces = append(c.namespaces, args...)
	case "labels":
		c.labels = strings.Join(args, " ")
	case "namespace_labels":
		c.namespaceLabels = strings.Join(args, " ")
	case "ttl":
		c.ttl, err = seconds(strings.Join(args, " "))
	case "multicluster":
		c.sets = plugin.OriginsFromArgsOrServerBlock(args, nil)
	case "endpoint_pod_names":
		c.podNames = true
	case "endpoint":
		c.unready = slices.Equal(args, []string{nowhere})
	case "fallthrough":
		c.through = plugin.OriginsFromArgsOrServerBlock(args, []string{"."})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func seconds(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}
