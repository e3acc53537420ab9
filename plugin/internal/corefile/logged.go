package corefile

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// logged is the part of a directive log for one zone.
type logged struct {
	zone            dnsname.Origin
	success, denial bool // classes of answers that are written; success also if the name alone decides
}

// applyLog leaves to the plugin the names of which it logs successful answers, and negative
// answers if it logs those of any name of ours. Other names whose negative answers it logs are
// left to it as well, because the cache's replies to them may be kept. Our sockets never answer with an error.
func applyLog(rc *ruleContext) error {
	var all []logged
	for d := rc.dispenser(); d.Next(); {
		scopes := d.RemainingArgs()
		if n := len(scopes); n > 1 && strings.Contains(scopes[n-1], "{") {
			scopes = scopes[:n-1] // the last is a format
		}
		var classes []string
		for d.NextBlock() {
			classes = append(classes, d.RemainingArgs()...)
		}
		if len(scopes) == 0 {
			scopes = []string{"."}
		}
		for _, scope := range scopes {
			zone, err := dnsname.ParseOrigin(dns.Fqdn(scope))
			if err != nil {
				return err
			}
			all = append(all, logClasses(zone, classes))
		}
	}
	for i := range all {
		l := &all[i]
		ours := rc.meets(l.zone)
		rc.conditions.NoDenials = rc.conditions.NoDenials || l.denial && ours
		l.success = l.success || l.denial && !ours
	}
	return rc.add(func(a *asked) bool { return logsAny(all, a.question.Name()) }, "logging successful answers")
}

func logClasses(zone dnsname.Origin, classes []string) logged {
	every := len(classes) == 0 || slices.Contains(classes, "all")
	return logged{zone, every || slices.Contains(classes, "success"), slices.Contains(classes, "denial")}
}

// logsAny reports whether a question for a name is the plugin's, whatever the answer is. Only the first zone
// that has the name counts.
func logsAny(all []logged, qname *dnsname.Name) bool {
	for i := range all {
		if all[i].zone.Encloses(qname) {
			return all[i].success
		}
	}
	return false
}

// meets reports whether a zone has names of ours.
func (rc *ruleContext) meets(zone dnsname.Origin) bool {
	return slices.ContainsFunc(rc.origins, func(o resolve.Origin) bool {
		return zone.EnclosesOrigin(o.Origin) || o.EnclosesOrigin(zone)
	})
}
