package xfr

import (
	"net"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// Policy is what the directives transfer of a server block say.
type Policy []Rule

// Rule says of some zones who may have them and, but for "*", who is told of changes.
type Rule struct {
	Zones  []string
	To     []string // "*", or address and port
	Source net.IP   // where notifications come from; nil for any
}

// ParsePolicy reads the directives transfer of a server block with these zones. The plugin transfer
// has read them without an error, and keeps what it read to itself.
func ParsePolicy(tokens []caddyfile.Token, zones []string) Policy {
	var policy Policy
	for d := caddyfile.NewDispenserTokens("Corefile", tokens); d.Next(); {
		rule := Rule{Zones: plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), zones)}
		for d.NextBlock() {
			switch property, args := d.Val(), d.RemainingArgs(); property {
			case "to":
				rule.To = append(rule.To, withPort(args)...)
			case "source":
				rule.Source = net.ParseIP(args[0])
			}
		}
		policy = append(policy, rule)
	}
	return policy
}

// withPort adds the default port to hosts that have none.
func withPort(hosts []string) []string {
	var list []string
	for _, host := range hosts {
		if addr, err := parse.HostPort(host, transport.Port); err == nil && host != "*" {
			host = addr
		}
		list = append(list, host)
	}
	return list
}

// rule returns the rule for a zone, that of the longest name that holds it.
func (p Policy) rule(zone string) *Rule {
	longest, best := "", (*Rule)(nil)
	for i := range p {
		if z := plugin.Zones(p[i].Zones).Matches(zone); len(z) > len(longest) {
			longest, best = z, &p[i]
		}
	}
	return best
}

// allows reports whether a client may have a zone.
func (p Policy) allows(zone, client string) bool {
	r := p.rule(zone)
	if r == nil {
		return false
	}
	for _, to := range r.To {
		if host, _, err := net.SplitHostPort(to); to == "*" || err == nil && host == client {
			return true
		}
	}
	return false
}

// secondary is a server that is told of the changes of one zone.
type secondary struct {
	zone, addr string
	source     net.IP
}

// secondaries returns those of some zones.
func (p Policy) secondaries(zones []string) []secondary {
	var list []secondary
	for _, zone := range zones {
		r := p.rule(zone)
		if r == nil {
			continue
		}
		for _, to := range r.To {
			if to != "*" {
				list = append(list, secondary{zone, to, r.Source})
			}
		}
	}
	return list
}
