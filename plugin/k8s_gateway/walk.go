package gateway

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// Transfer returns the records of a zone, as the plugin transfer requests them. That plugin finds
// the handler by this method.
func (h *handler) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return h.cluster.Primary().Transfer(&h.view, name, serial)
}

// Ready implements xfr.Zones.
func (v *view) Ready(s *cluster.Snapshot) bool { return v.zones.Ready(s) }

// SOA implements xfr.Zones.
func (v *view) SOA(s *cluster.Snapshot, o resolve.Origin, spelled string) dns.RR {
	return answer.SOA(&v.zones, s, o, spelled)
}

// Walk implements xfr.Zones: it yields what the apex and the server's name have, then the
// published names. Every RRset is the one that a look-up answers with.
func (v *view) Walk(s *cluster.Snapshot, o resolve.Origin, part xfr.Part, yield func(dns.RR) bool) {
	w := walk{view: v, snapshot: s, origin: &o, yield: yield, seen: map[string]bool{}}
	w.text(o.String(), apexTypes)
	w.text(dnsname.Below(o.String(), v.zones.NameServer), addressTypes)
	for _, key := range part.Published(s) {
		if w.ended {
			return
		}
		w.key(key)
	}
}

// The types that a transfer has of a name, besides those of its other records. Beside an alias there is
// nothing else.
var (
	apexTypes    = []uint16{dns.TypeNS, dns.TypeA, dns.TypeAAAA}
	addressTypes = []uint16{dns.TypeA, dns.TypeAAAA}
)

// walk yields the records of one zone, without repetitions.
type walk struct {
	view     *view
	snapshot *cluster.Snapshot
	origin   *resolve.Origin
	yield    func(dns.RR) bool
	ended    bool            // the consumer wants no more
	seen     map[string]bool // owners, since the names of the apex and of the server may be published too
}

func (w *walk) text(owner string, types []uint16) {
	if n, err := dnsname.Parse(owner); err == nil {
		w.name(&n, types)
	}
}

// key yields what a published name has in the zone. One that a longer zone of the view encloses has nothing.
func (w *walk) key(key string) {
	n, err := dnsname.ParseWire([]byte(key))
	if err != nil {
		return
	}
	if o := w.view.zones.Origin(&n); o == nil || o.Wire() != w.origin.Wire() || at(w.snapshot, &n, 0).Kind != resolve.AtPublished {
		return
	}
	w.name(&n, addressTypes)
}

// name yields the RRsets of a name.
func (w *walk) name(n *dnsname.Name, types []uint16) {
	if w.ended || w.seen[n.Wire()] {
		return
	}
	w.seen[n.Wire()] = true
	m := w.view.locate(w.snapshot, n, w.origin)
	if m.Kind == resolve.AtDelegation {
		m = at(w.snapshot, n, 0) // a transfer has what is below a zone cut too (RFC 5936 3.5)
	}
	if target := m.Target(false); target != nil {
		w.ended = !w.yield(answer.CNAME(n.String(), target.String(), w.view.zones.TTL))
		return
	}
	others := m.Published.Types()
	if m.Kind == resolve.AtApex { // whose NS records are those of the zone's own servers
		others = slices.DeleteFunc(others, func(qtype uint16) bool { return qtype == dns.TypeNS })
	}
	for _, qtype := range slices.Concat(types, others) {
		for _, rr := range answer.RRset(&w.view.zones, w.snapshot, n, w.origin, &m, qtype) {
			if w.ended = !w.yield(rr); w.ended {
				return
			}
		}
	}
}
