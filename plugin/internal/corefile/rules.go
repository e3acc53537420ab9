package corefile

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/bufsize"
	"github.com/coredns/coredns/plugin/hosts"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
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
}

// dispenser returns the tokens of the directive, to be parsed again.
func (rc *ruleContext) dispenser() caddyfile.Dispenser {
	return caddyfile.NewDispenserTokens("Corefile", rc.tokens)
}

func applyAutopath(rc *ruleContext) error {
	rc.conditions.NoSearch = true
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

// applyLog handles classes as the plugin log does: denial means negative answers, and our
// sockets never answer with an error. For each name only the first matching line counts, so
// the conditions must hold for all lines.
func applyLog(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		d.RemainingArgs()
		var classes []string
		for d.NextBlock() {
			classes = append(classes, d.RemainingArgs()...)
		}
		if len(classes) == 0 || slices.Contains(classes, "all") || slices.Contains(classes, "success") {
			return errors.New("logging successful answers")
		}
		if slices.Contains(classes, "denial") {
			rc.conditions.NoDenials = true
		}
	}
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
		directive := d.Val()
		args := d.RemainingArgs()
		if directive == "template" {
			args = args[min(2, len(args)):] // class and type
		}
		for _, text := range plugin.OriginsFromArgsOrServerBlock(args, rc.keys) {
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
		return fmt.Errorf("for the zone %s, which contains all of ours", origin)
	}
	rc.conditions.Elsewhere = append(rc.conditions.Elsewhere, origin)
	return nil
}

// applyHosts asks the plugin itself about every name, since its file changes. It can ask
// only for addresses by name, so it leaves reverse names to the plugin.
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
	claims := func(q *answer.Question) bool {
		if q.Type == dns.TypePTR {
			return true
		}
		var buf [256]byte
		text, ok := q.AppendText(buf[:0])
		if !ok {
			return true
		}
		name := unsafe.String(unsafe.SliceData(text), len(text))
		return len(h.LookupStaticHostV4(name)) > 0 || len(h.LookupStaticHostV6(name)) > 0
	}
	rc.conditions.Claimed = claims
	return nil
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
