package corefile

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/fall"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const (
	// DefaultTTL is the TTL in seconds of stock CoreDNS: short enough for a Service that
	// moves.
	DefaultTTL = 5
	// maxTTL is the largest TTL in seconds that the property ttl accepts.
	maxTTL = 3600
)

// ParseOrigins returns the zones of a directive, or else those of its server block. forward
// reports whether one of them is not a reverse zone. It drops arguments that are not zones
// and passes a text about each to warn.
func ParseOrigins(c *caddy.Controller, warn func(text string)) (origins []resolve.Origin, forward bool, err error) {
	args := c.RemainingArgs()
	InspectZones("zone", args, warn)
	for _, text := range plugin.OriginsFromArgsOrServerBlock(args, c.ServerBlockKeys) {
		o, err := resolve.ParseOrigin(text)
		if err != nil {
			return nil, false, c.Errf("zone '%s' is not a domain name or CIDR", text)
		}
		origins = append(origins, o)
		forward = forward || !o.Reverse()
	}
	if len(origins) == 0 {
		return nil, false, c.Errf("expected zones that are domain names or CIDRs, found none: %s", strings.Join(args, " "))
	}
	return origins, forward, nil
}

// InspectZones passes a text about each argument that is no zone to warn. The text begins
// with what the arguments are.
func InspectZones(what string, args []string, warn func(text string)) {
	for _, arg := range args {
		switch {
		case len(plugin.Host(arg).NormalizeExact()) == 0:
			warn(what + " " + cmp.Or(arg, `""`) + " is not a domain name or CIDR and is left out")
		case strings.ContainsFunc(arg, neverInZone) && !isCIDR(arg):
			warn(what + " " + arg + " is no domain name or CIDR: no client asks for a name in it")
		}
	}
}

// neverInZone reports whether a character is in no name that a stub resolver asks for. CoreDNS
// takes what is no CIDR for a name, such as 10.0.0.0/33.
func neverInZone(r rune) bool { return strings.ContainsRune("/*!:@ ", r) }

func isCIDR(text string) bool {
	_, err := netip.ParsePrefix(text)
	return err == nil
}

// Property parses one line of a directive's block.
type Property[C any] func(cfg C, c *caddy.Controller, args []string) error

// ParseBlock parses the block of a directive that has these properties. It passes a text to
// warn about each property that is given again, but those that repeat names: a second line of
// them adds to the first, or changes nothing.
func ParseBlock[C any](cfg C, c *caddy.Controller, properties map[string]Property[C], warn func(text string), repeat ...string) error {
	places := map[string]string{}
	for c.NextBlock() {
		name := c.Val()
		property, ok := properties[name]
		if !ok {
			known := slices.Sorted(maps.Keys(properties))
			return c.Errf("unknown property '%s': expected one of %s", name, strings.Join(known, ", "))
		}
		if place, again := places[name]; again && !slices.Contains(repeat, name) {
			warn(name + " is given again: the one at " + place + " has no effect")
		}
		places[name] = Place(c)
		if err := property(cfg, c, c.RemainingArgs()); err != nil {
			return err
		}
	}
	return nil
}

// ParseTTL parses the argument of the property ttl. It passes a text about further
// arguments to warn.
func ParseTTL(c *caddy.Controller, args []string, warn func(text string)) (uint32, error) {
	if len(args) == 0 {
		return 0, WrongArguments(c, "ttl", "SECONDS")
	}
	if len(args) > 1 {
		warn("ttl takes one argument: only " + args[0] + " is used")
	}
	ttl, err := strconv.Atoi(args[0])
	if err != nil || ttl < 0 || ttl > maxTTL {
		return 0, c.Errf("ttl must be a number of seconds in range [0, %d]: %s", maxTTL, args[0])
	}
	return uint32(ttl), nil
}

// ParseFallthrough parses the arguments of the property fallthrough: the zones in which the
// next plugin may know a name. It passes a text about each argument that is no zone to warn.
func ParseFallthrough(args []string, warn func(text string)) dnsname.Zones {
	InspectZones("fallthrough zone", args, warn)
	var f fall.F
	f.SetZonesFromArgs(args)
	return dnsname.ParseZones(f.Zones)
}

// WrongArguments returns the error of a property with the wrong number of arguments.
func WrongArguments(c *caddy.Controller, name, expected string) error {
	return c.Errf("wrong arguments for %s: expected %s %s", name, name, expected)
}
