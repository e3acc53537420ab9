package differential

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// compareTransfers asks for zones, and for names that are none: as a whole, and
// for what is new since a serial that nobody has given and since the last one.
func (p *pair) compareTransfers(t *testing.T, s *scene, to *tally) {
	t.Helper()
	for _, zone := range s.transferable() {
		for _, qtype := range []uint16{dns.TypeAXFR, dns.TypeIXFR} {
			for _, later := range []bool{false, true} {
				c := &pulled{scene: s, zone: zone, qtype: qtype}
				c.stock = pullTwice(p.addresses[stockServer], zone, qtype, later)
				c.ours = pullTwice(p.addresses[ourServer], zone, qtype, later)
				to.judgeTransfer(t, c)
			}
		}
	}
}

// pullTwice asks later with the serial of the first answer.
func pullTwice(address, zone string, qtype uint16, later bool) *transfer {
	first := pull(address, zone, 1, qtype)
	if !later {
		return first
	}
	return pull(address, zone, first.serial(), qtype)
}

func (c *corefile) transferable() []string {
	zones := slices.Concat(c.origins, c.reverse, []string{"10.in-addr.arpa.", "www.example.org.", "."})
	for _, origin := range c.origins {
		zones = append(zones, strings.ToUpper(origin), "svc."+origin, "zoo.svc."+origin, "never."+origin)
	}
	return zones
}
