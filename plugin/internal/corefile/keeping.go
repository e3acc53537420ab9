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
	Hits  int    // that the cache must have counted before a reply is given without it
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
	hits, ok := repeatable(b.Tokens["cache"])
	if !ok {
		return nil
	}
	return &Keeping{Zones: strings.Join(gate.PluginCache().Zones, ","), Hits: hits}
}

// mostBetween is no less than the time between two questions to the cache, if clients ask for a name
// every second: of those in a second it sees one.
const mostBetween = 2 * time.Second

// repeatable returns how many hits the property prefetch waits for. It reports false if a reply
// does not show by its TTL that it is stale, which the cache counts, or that it is new.
func repeatable(tokens []caddyfile.Token) (hits int, ok bool) {
	var stale, staleTTL, keepTTL bool
	often := true // the cache is asked often enough to count hits
	for d := caddyfile.NewDispenserTokens("Corefile", tokens); d.Next(); {
		d.RemainingArgs()
		for d.NextBlock() {
			switch property, args := d.Val(), d.RemainingArgs(); property {
			case "prefetch": // the plugin refuses what cannot be parsed
				hits, _ = strconv.Atoi(args[0])
				often = isOften(args[1:], often)
			case "serve_stale":
				stale = true
				verifies := len(args) > 1 && strings.EqualFold(args[1], "verify")
				staleTTL = staleTTL || len(args) > 3 || len(args) > 2 && !verifies
			case "keepttl":
				keepTTL = true
			}
		}
	}
	shows := !keepTTL || !stale && hits <= 1
	return hits, shows && !staleTTL && (often || hits <= 1)
}

// isOften reports whether the cache is asked often enough for the time between hits that prefetch
// counts, of which the last that the Corefile names holds.
func isOften(rest []string, before bool) bool {
	if len(rest) == 0 {
		return before
	}
	between, _ := time.ParseDuration(rest[0])
	return between > mostBetween
}
