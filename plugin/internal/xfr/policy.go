package xfr

import (
	"net"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// Policy has the transfer directives of a server block.
type Policy []Rule

// Rule says who may transfer some zones and, unless it is "*", who is notified of changes.
type Rule struct {
	Zones  []string
	To     []string // "*", or address and port
	Source net.IP   // source address of notifications; nil for any
}

// ParsePolicy parses the transfer directives of a server block with these zones. The plugin
// transfer has parsed them without an error, but does not export the result.
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

// withPort adds the default port to hosts without one.
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

// rule returns the rule for a zone: the one with the longest name that encloses it.
func (p Policy) rule(zone string) *Rule {
	longest, best := "", (*Rule)(nil)
	for i := range p {
		if z := plugin.Zones(p[i].Zones).Matches(zone); len(z) > len(longest) {
			longest, best = z, &p[i]
		}
	}
	return best
}

// allows reports whether a client may transfer a zone.
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

// secondary is a server to be notified of changes of one zone.
type secondary struct {
	zone, addr string
	source     net.IP
}

// secondaries returns the secondaries of some zones.
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
