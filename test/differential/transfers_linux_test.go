package differential

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// noting is how long our server may take to record what it has sent.
const noting = 5 * time.Second

// compareTransfers requests zones, and names that are not zones: as a whole, the changes
// since an unknown serial, and those since the last one.
func (p *pair) compareTransfers(t *testing.T, s *scene, to *tally) {
	t.Helper()
	a := newAsker(p.addresses[:]...)
	defer a.close()
	for _, zone := range s.transferable() {
		for _, qtype := range []uint16{dns.TypeAXFR, dns.TypeIXFR} {
			for _, later := range []bool{false, true} {
				c := &pulled{scene: s.of(zone), zone: zone, qtype: qtype, later: later, lookup: a.ours}
				if c.external {
					c.whole = pull(p.addresses[stockServer], zone, 0, dns.TypeAXFR)
				}
				c.stock = pullTwice(p.addresses[stockServer], zone, qtype, later)
				c.ours = pullTwice(p.addresses[ourServer], zone, qtype, later)
				// Our server records the end of a transfer after its last message.
				for until := time.Now().Add(noting); later && !c.explained() && time.Now().Before(until); {
					c.ours = pullTwice(p.addresses[ourServer], zone, qtype, later)
				}
				to.judgeTransfer(t, c)
			}
		}
	}
}

// ours returns the answer section of our answer.
func (a *asker) ours(name string, qtype uint16) []dns.RR {
	r := a.one(ourServer, ask(name, qtype).overTCP())
	if r.problem != nil {
		return nil
	}
	return r.msg.Answer
}

// pullTwice requests a zone and, if later is set, the changes since the serial of that
// answer.
func pullTwice(address, zone string, qtype uint16, later bool) *transfer {
	first := pull(address, zone, 1, qtype)
	if !later {
		return first
	}
	return pull(address, zone, first.serial(), qtype)
}

func (c *corefile) transferable() []string {
	zones := append(c.zones(), "10.in-addr.arpa.", "www.example.org.", ".")
	if x := c.outside; x != nil {
		zones = append(zones, "zoo."+x.origins[0], "dns."+x.origins[0])
	}
	for _, origin := range c.origins {
		zones = append(zones, strings.ToUpper(origin), "svc."+origin, "zoo.svc."+origin, "never."+origin)
	}
	return zones
}

// zones are those of both plugins.
func (c *corefile) zones() []string {
	zones := slices.Concat(c.origins, c.reverse)
	if x := c.outside; x != nil {
		zones = slices.Concat(zones, x.origins, x.reverse)
	}
	return zones
}
