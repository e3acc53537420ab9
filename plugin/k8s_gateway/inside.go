package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// insideTypes are the types that the zones answer for inside. HTTPS and SVCB must not come from
// elsewhere, because their hints may be the addresses outside.
var insideTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeANY, dns.TypeCNAME, dns.TypeHTTPS, dns.TypeSVCB, dns.TypeAXFR, dns.TypeIXFR}

// leaves reports whether a question is for a type that the next plugin has, whatever the name.
func (v *view) leaves(qtype uint16) bool { return v.inside && !slices.Contains(insideTypes, qtype) }

// leavesQuestion does the same for the fast path.
func (v *view) leavesQuestion(q *answer.Question) bool { return v.leaves(q.Type) }

// findInside finds what a name leads to inside the cluster: the name itself or the wildcard below its
// closest encloser. All other names are those of another zone with the same name, apex and delegated zones
// included.
func findInside(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	if cut, _ := findCut(s, n, o); cut != nil {
		return resolve.Match{}
	}
	rest := n.Labels() - o.Labels()
	for skip := range rest + 1 {
		m := find(s, false, n, skip)
		if skip > 0 && (m.Kind != resolve.NoName || skip == rest) {
			return leading(find(s, true, n, skip))
		}
		if m.Kind != resolve.NoName {
			return leading(m)
		}
	}
	return resolve.Match{}
}

// leading returns the match, or none if the name does not lead anywhere.
func leading(m resolve.Match) resolve.Match {
	if m.Kind != resolve.AtPublished || m.Published.Alias == "" && len(m.Published.Addrs) == 0 {
		return resolve.Match{}
	}
	return m
}

// checkInside returns an error if a zone inside could take names of the cluster itself.
func checkInside(zones, clusterZones []resolve.Origin) error {
	for _, zone := range zones {
		if zone.Labels() == 0 || zone.Reverse() {
			return fmt.Errorf("inside needs zones of published names: expected others than %s", zone)
		}
		for _, own := range clusterZones {
			if zone.EnclosesOrigin(own.Origin) || own.EnclosesOrigin(zone.Origin) {
				return fmt.Errorf("inside must not be about names of the cluster itself: expected other zones than %s beside %s", strings.TrimSuffix(zone.String(), "."), strings.TrimSuffix(own.String(), "."))
			}
		}
	}
	return nil
}
