package corefile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/cache"
)

// Keeping says how replies of the plugin cache may be kept.
type Keeping struct {
	Zones string // the label of the cache's metrics
	// Hits and Percent are those of the property prefetch: 0 hits without.
	Hits, Percent int
}

// keeping returns how replies of the cache may be kept, or nil if they may not. What stands behind
// the cache has no part in its replies.
func (b *Block) keeping(ahead []plugin.Handler) *Keeping {
	at := slices.IndexFunc(ahead, func(h plugin.Handler) bool { return h.Name() == "cache" })
	if at < 0 || slices.ContainsFunc(ahead[:at], func(h plugin.Handler) bool { return !rules[h.Name()].repeats }) {
		return nil
	}
	gate, ok := ahead[at].(interface{ PluginCache() *cache.Cache })
	if !ok {
		return nil // nobody says which replies are the cache's
	}
	p, ok := repeatable(b.Tokens["cache"])
	if !ok {
		return nil
	}
	return &Keeping{Zones: strings.Join(gate.PluginCache().Zones, ","), Hits: p.hits, Percent: p.percent}
}

// prefetching is the property prefetch.
type prefetching struct {
	hits, percent int
	between       time.Duration // from one hit to the next
}

// read reads the arguments of the property. Those that are missing stay as they are. The plugin refuses what
// cannot be parsed.
func (p *prefetching) read(args []string) {
	p.hits, _ = strconv.Atoi(args[0])
	if len(args) > 1 {
		p.between, _ = time.ParseDuration(args[1])
	}
	if len(args) > 2 {
		p.percent, _ = strconv.Atoi(strings.TrimSuffix(args[2], "%"))
	}
}

// mostBetween is no less than the time between two questions to the cache, if clients ask for a name
// every second: of those in a second it sees one.
const mostBetween = 2 * time.Second

// repeatable returns what the property prefetch waits for. It reports false if a reply does not show by its TTL that
// it is stale, which the cache counts, or how old it is, and if the cache would not see the hits that it counts.
func repeatable(tokens []caddyfile.Token) (p prefetching, ok bool) {
	p = prefetching{percent: 10, between: time.Minute} // the plugin's own values
	var stale, staleTTL, keepTTL bool
	for d := caddyfile.NewDispenserTokens("Corefile", tokens); d.Next(); {
		d.RemainingArgs()
		for d.NextBlock() {
			switch property, args := d.Val(), d.RemainingArgs(); property {
			case "prefetch":
				p.read(args)
			case "serve_stale":
				stale = true
				verifies := len(args) > 1 && strings.EqualFold(args[1], "verify")
				staleTTL = staleTTL || len(args) > 3 || len(args) > 2 && !verifies
			case "keepttl":
				keepTTL = true
			}
		}
	}
	shows := !keepTTL || !stale && p.hits == 0
	return p, shows && !staleTTL && (p.between > mostBetween || p.hits <= 1)
}
