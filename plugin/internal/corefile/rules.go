package corefile

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/bufsize"
	"github.com/coredns/coredns/plugin/hosts"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// ruleContext has the input of a rule, and the conditions that the rule adds to.
type ruleContext struct {
	handler    plugin.Handler
	tokens     []caddyfile.Token // of the plugin's directive
	keys       []string          // of the server block
	origins    []resolve.Origin  // of our directive
	conditions *Conditions
	reading    *caddyfile.Dispenser // nil before the directive is parsed
}

// dispenser returns the tokens of the directive, to be parsed again.
func (rc *ruleContext) dispenser() *caddyfile.Dispenser {
	d := caddyfile.NewDispenserTokens("", rc.tokens)
	rc.reading = &d
	return rc.reading
}

// applyAutopath leaves names that do not exist to the plugin. With our own search paths, it
// completes no other names, since each begins with a zone of ours.
func applyAutopath(rc *ruleContext) error {
	rc.conditions.NoSearch = true
	for d := rc.dispenser(); d.Next(); {
		args := d.RemainingArgs()
		path := args[len(args)-1] // the plugin refuses a directive without
		rc.conditions.unrepeated = rc.conditions.unrepeated || path != "@kubernetes" && path != "@clusterdns"
	}
	return nil
}

func applyBufsize(rc *ruleContext) error {
	b, ok := rc.handler.(bufsize.Bufsize)
	if !ok {
		return errKind
	}
	rc.conditions.MaxSize = uint16(b.Size)
	return nil
}

func applyLoadbalance(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		if args := d.RemainingArgs(); len(args) > 0 && args[0] != "round_robin" {
			return fmt.Errorf("with the policy %s", args[0])
		}
		if d.NextBlock() {
			return fmt.Errorf("with the property %s", d.Val())
		}
	}
	rc.conditions.Shuffle = true
	return nil
}

func applyNSID(rc *ruleContext) error {
	others := rc.conditions.Repeats
	rc.conditions.Repeats = func(option uint16) bool { return option == dns.EDNS0NSID || others(option) }
	return nil
}

// applyZones leaves the names in the plugin's zones to the plugin. Its zones are the
// arguments of its directive or else those of the server block.
func applyZones(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		for _, text := range plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), rc.keys) {
			if err := rc.leave(text); err != nil {
				return err
			}
		}
		for d.NextBlock() {
			d.RemainingArgs()
		}
	}
	return nil
}

// leave leaves the names of a zone to the plugin.
func (rc *ruleContext) leave(text string) error {
	origin, err := dnsname.ParseOrigin(text)
	if err != nil {
		return err
	}
	all := true
	for _, o := range rc.origins {
		all = all && origin.EnclosesOrigin(o.Origin)
	}
	if all {
		return errors.New(containsAll(origin))
	}
	rc.conditions.Elsewhere = append(rc.conditions.Elsewhere, origin)
	return nil
}

// containsAll is the reason against a plugin whose zone has all names of ours.
func containsAll(zone dnsname.Origin) string {
	return fmt.Sprintf("for %s, which contains all of ours", zone.InWords())
}

// applyHosts asks the plugin itself about every name, since its file changes.
func applyHosts(rc *ruleContext) error {
	h, ok := rc.handler.(hosts.Hosts)
	if !ok {
		return errKind
	}
	for _, zone := range dnsname.ParseZones(h.Origins) {
		for _, o := range rc.origins {
			in := zone.EnclosesOrigin(o.Origin) || o.EnclosesOrigin(zone)
			if in && !h.Fall.Through(o.String()) {
				return fmt.Errorf("and lets no name of %s fall through", o)
			}
		}
	}
	named := ofName(func(name string) bool {
		return len(h.LookupStaticHostV4(name)) > 0 || len(h.LookupStaticHostV6(name)) > 0
	})
	pointed := ofName(func(name string) bool {
		return len(h.LookupStaticAddr(dnsutil.ExtractAddressFromReverse(name))) > 0
	})
	rc.conditions.claims = append(rc.conditions.claims, named, func(a *asked) bool {
		return a.question.Type == dns.TypePTR && pointed(a)
	})
	return nil
}

// applyLocal leaves to the plugin the names of the machine itself, and all that begin with
// its name, as a search path makes them.
func applyLocal(rc *ruleContext) error {
	zones := dnsname.ParseZones([]string{"localhost.", "0.in-addr.arpa.", "127.in-addr.arpa.", "255.in-addr.arpa."})
	prefixed := ofName(func(name string) bool { return strings.HasPrefix(name, "localhost.") })
	return rc.add(func(a *asked) bool { return zones.Enclose(a.question.Name()) || prefixed(a) }, "and answers for every name")
}

func applyPrometheus(rc *ruleContext) error {
	m, ok := rc.handler.(*coremetrics.Metrics)
	switch {
	case !ok:
		return errKind
	case m.Next == nil:
		return errors.New("with no plugin after it")
	}
	rc.conditions.Prometheus = m
	return nil
}

// applyDNS64 leaves questions for AAAA to the plugin if there is no such address, or all of
// them. Without allow_ipv4 it leaves alone what clients with an IPv4 address ask.
func applyDNS64(rc *ruleContext) error {
	all, ipv4 := false, false
	for d := rc.dispenser(); d.Next(); {
		for d.NextBlock() {
			all = all || d.Val() == "translate_all"
			ipv4 = ipv4 || d.Val() == "allow_ipv4"
		}
	}
	translates := func(qtype uint16, client netip.Addr) bool {
		return qtype == dns.TypeAAAA && (ipv4 || !client.Unmap().Is4())
	}
	if all {
		return rc.add(func(a *asked) bool { return translates(a.question.Type, a.client) }, "and translates everything")
	}
	rc.conditions.Synthesized = translates
	return nil
}

// applyHeader accepts what our replies have anyway: AA is set and RA is not. CoreDNS copies
// neither from a question.
func applyHeader(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		for d.NextBlock() {
			selector, args := strings.ToLower(d.Val()), d.RemainingArgs()
			for _, flag := range args[min(1, len(args)):] {
				as := strings.ToLower(args[0] + " " + flag)
				if as != "set aa" && as != "clear ra" && (selector != "query" || strings.EqualFold(flag, "rd")) {
					return fmt.Errorf("with the rule %s %s", selector, as)
				}
			}
		}
	}
	return nil
}

// applyMinimal leaves to the plugin the types of which our answers have additional records.
func applyMinimal(rc *ruleContext) error {
	return rc.add(ofType(dns.TypeSRV, dns.TypeNS), "and shortens everything")
}
