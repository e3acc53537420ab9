package corefile

import (
	"fmt"
	"slices"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// templated are the questions of one directive template.
type templated struct {
	zones   dnsname.Zones
	class   uint16
	qtype   uint16
	matches []*expression // any of them; empty for all names
	through dnsname.Zones // zones whose names fall through if nothing matches
}

// applyTemplate leaves to the plugin the questions of a template's class, type and zone. Those
// are the plugin's even if its expressions do not match, unless they fall through.
func applyTemplate(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		t, err := rc.template(d)
		if err != nil {
			return err
		}
		if t.class != dns.ClassINET && t.class != dns.ClassANY {
			continue // the sockets answer no other class
		}
		if err := rc.add(t.claims, containsAll(t.zones[0])); err != nil {
			return err
		}
	}
	return nil
}

// template parses a directive.
func (rc *ruleContext) template(d *caddyfile.Dispenser) (*templated, error) {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return nil, d.ArgErr()
	}
	zones, err := rc.zonesOf(args[2:])
	if err != nil {
		return nil, err
	}
	class, known := dns.StringToClass[args[0]]
	qtype, also := dns.StringToType[args[1]]
	if !known || !also {
		return nil, fmt.Errorf("for the unknown class or type %s %s", args[0], args[1])
	}
	t := &templated{zones: zones, class: class, qtype: qtype}
	for d.NextBlock() {
		if err := t.parse(d.Val(), d.RemainingArgs()); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// parse parses a property. Only two of them select questions; expr and var may select fewer.
func (t *templated) parse(property string, args []string) error {
	switch property {
	case "match":
		for _, text := range args {
			e, err := compile(text)
			if err != nil {
				return err
			}
			t.matches = append(t.matches, e)
		}
	case "fallthrough":
		var f fall.F
		f.SetZonesFromArgs(args)
		t.through = dnsname.ParseZones(f.Zones)
	}
	return nil
}

func (t *templated) claims(a *asked) bool {
	if t.qtype != dns.TypeANY && t.qtype != a.question.Type && a.question.Type != dns.TypeANY {
		return false
	}
	qname := a.question.Name()
	if !t.zones.Enclose(qname) {
		return false
	}
	if len(t.matches) == 0 || !t.through.Enclose(qname) {
		return true
	}
	name, ok := a.text()
	return !ok || slices.ContainsFunc(t.matches, func(e *expression) bool { return e.matches(name) })
}
