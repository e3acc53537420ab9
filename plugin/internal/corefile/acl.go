package corefile

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/acl"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// aclRule is one directive acl.
type aclRule struct {
	zones    dnsname.Zones
	policies []aclPolicy
}

// aclPolicy is one line of a directive acl. It matches questions of its types by clients in
// its networks.
type aclPolicy struct {
	allow bool
	types []uint16       // nil for all
	nets  []netip.Prefix // nil for all
}

// applyACL leaves the questions that the plugin does not allow to the plugin.
func applyACL(rc *ruleContext) error {
	var rules []aclRule
	allows := false
	for d := rc.dispenser(); d.Next(); {
		zones, err := rc.zonesOf(d.RemainingArgs())
		if err != nil {
			return err
		}
		rule := aclRule{zones: zones}
		for d.NextBlock() {
			p := aclPolicy{allow: strings.EqualFold(d.Val(), "allow")}
			if err := p.parse(d.RemainingArgs()); err != nil {
				return err
			}
			allows = allows || p.allow
			rule.policies = append(rule.policies, p)
		}
		rules = append(rules, rule)
	}
	rc.conditions.Allowed = acl.RequestAllowCount
	refuses := func(a *asked) bool { return refused(rules, a) }
	if allows {
		rc.conditions.claims = append(rc.conditions.claims, refuses)
		return nil
	}
	return rc.add(refuses, "which refuses everything")
}

// parse parses the sections of a policy. A later section of networks adds to an earlier one.
func (p *aclPolicy) parse(args []string) error {
	section := ""
	all := map[string]bool{} // sections that have "*"
	for _, arg := range args {
		word := strings.ToLower(arg)
		switch {
		case word == "type" || word == "net":
			section = word
		case all[section] || arg == "*":
			all[section] = true
		default:
			if err := p.narrow(section, arg); err != nil {
				return err
			}
		}
	}
	if all["type"] {
		p.types = nil
	}
	if all["net"] {
		p.nets = nil
	}
	return nil
}

// narrow adds a type or a network.
func (p *aclPolicy) narrow(section, arg string) error {
	if section == "type" {
		qtype, ok := dns.StringToType[arg]
		if !ok {
			return fmt.Errorf("for the unknown type %s", arg)
		}
		p.types = append(p.types, qtype)
		return nil
	}
	net, err := parseNetwork(arg)
	if err != nil || net.Addr().Is4In6() {
		return fmt.Errorf("for the network %s, which cannot be judged", arg)
	}
	p.nets = append(p.nets, net)
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// refused reports whether the first policy that matches a question does not allow it.
func refused(rules []aclRule, a *asked) bool {
	client := a.client.Unmap().WithZone("")
	for i := range rules {
		if !rules[i].zones.Enclose(a.question.Name()) {
			continue
		}
		for j := range rules[i].policies {
			if p := &rules[i].policies[j]; p.matches(a.question.Type, client) {
				return !p.allow
			}
		}
	}
	return false
}

func (p *aclPolicy) matches(qtype uint16, client netip.Addr) bool {
	inNet := func(net netip.Prefix) bool { return net.Contains(client) }
	return (p.types == nil || slices.Contains(p.types, qtype)) && (p.nets == nil || slices.ContainsFunc(p.nets, inNet))
}
