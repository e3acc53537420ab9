package answer

import (
	"math"
	"math/rand/v2"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Answer is the answer to one question, as data. Records and Authority are those of a
// response; Authority has the SOA record of a negative answer.
type Answer struct {
	Result    resolve.Result
	Kind      resolve.NameKind
	Records   []dns.RR
	Authority []dns.RR
	Extra     []dns.RR
	Target    string
	Hosts     []string // targets of SRV records whose addresses others know
	Truncated bool     // records were left out because there was no room
}

// Limits are the limits of an answer.
type Limits struct {
	// Size is the largest size of the message in octets. If not all records fit, the choice
	// is random.
	Size int
	// Reserved is the number of octets that will follow the answer.
	Reserved int
	// Bare leaves the additional section out, because another plugin would.
	Bare bool
	// Shuffle puts addresses into random order, in wire form.
	Shuffle bool
	// Random is the source of randomness; nil for the process's own.
	Random *rand.PCG
}

// unlimited has room for every record.
var unlimited = Limits{Size: math.MaxInt32}

// MinRecord is the least size of a record, for callers that look at no more than can fit.
const MinRecord = recordHead

// Lookup answers a question from a snapshot. Owners and origins in the answer keep the
// spelling of the question. The time it takes depends on the limits, and not on how many
// records exceed them.
func Lookup(v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, limits Limits) Answer {
	return LookupBy(v.Locate, v, s, n, qtype, limits)
}

// LookupBy does the same in zones whose names another function locates.
func LookupBy(locate resolve.Locator, v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, limits Limits) Answer {
	b := recordSink{view: v, serial: s.Serial()}
	for first := true; ; first = false {
		b.name, b.zone = n, v.Origin(n)
		switch {
		case b.zone == nil && first:
			return Answer{Result: resolve.OutOfZone}
		case b.zone == nil || n.IsReverse() && !first:
			b.answer.Result, b.answer.Target = resolve.FollowTarget, n.String()
			return b.answer
		case !v.Ready(s):
			b.negative(resolve.NotReady)
			return b.answer
		}
		m := locate(s, n, b.zone)
		if first {
			b.answer.Kind = m.Name
		}
		switch refers := m.Refers(qtype); {
		case refers && first:
			b.answer.Result = resolve.Referral
			return b.answer
		case refers:
			b.answer.Result, b.answer.Target = resolve.FollowTarget, n.String()
			return b.answer
		}
		target := m.Target(qtype == dns.TypeSRV)
		if target == nil {
			t := visit{view: v, zone: b.zone, qtype: qtype, limits: &limits, free: b.free(limits), records: &b}
			t.tell(s, &m)
			return b.answer
		}
		b.alias(target)
		if qtype == dns.TypeCNAME || qtype == dns.TypeANY || b.closed(target.String()) {
			b.answer.Result = resolve.Success
			return b.answer
		}
		n = target
	}
}

// RRset returns all records of one type at a name. The match must be that of the name.
func RRset(v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin, m *resolve.Match, qtype uint16) []dns.RR {
	b := recordSink{view: v, name: n, zone: o, serial: s.Serial()}
	t := visit{view: v, zone: o, qtype: qtype, limits: &unlimited, free: unlimited.Size, records: &b}
	t.rrset(s, m, qtype)
	return b.answer.Records
}
