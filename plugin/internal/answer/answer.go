package answer

import (
	"math"
	"math/rand/v2"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Answer is the answer to one question, as data. Records and Authority are
// filled as in a response; Authority holds the SOA record of a negative answer.
type Answer struct {
	Result    resolve.Result
	Kind      resolve.NameKind
	Records   []dns.RR
	Authority []dns.RR
	Extra     []dns.RR
	Target    string
	Hosts     []string // that SRV records lead to, and whose addresses others know
	Truncated bool     // records are left out, for which there is no room
}

// Limits says how an answer is to be made.
type Limits struct {
	// Size is how long the message may become; records that do not fit are left
	// out, chance decides which.
	Size int
	// Reserved is what is still to come behind the answer.
	Reserved int
	// Shuffle asks for a random order of addresses, in wire form.
	Shuffle bool
	// Random is the source of chance, nil for the process's own.
	Random *rand.PCG
}

// unlimited has room for every record there is.
var unlimited = Limits{Size: math.MaxInt32}

// MinRecord is the size that every record has at least, for those who want to look at no
// more than fits.
const MinRecord = recordHead

// Lookup answers a question from a snapshot. Owners and origins in the answer keep the
// spelling of the question. It takes a time that does not depend on how much more there
// is than the limits let in.
func Lookup(v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, limits Limits) Answer {
	return LookupBy(v.Locate, v, s, n, qtype, limits)
}

// LookupBy is Lookup in zones whose names are found in another way. It answers with the chain
// of aliases that begins at n and with what its last name has (RFC 1034 3.6.2). The last name
// decides the result (RFC 6604).
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
		case !s.Synced():
			b.negative(resolve.NotReady)
			return b.answer
		}
		m := locate(s, n, b.zone)
		if first {
			b.answer.Kind = m.Name
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

// RRset returns the records of one type that a name has, without limits. The name is one
// that stands for the match.
func RRset(v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin, m *resolve.Match, qtype uint16) []dns.RR {
	b := recordSink{view: v, name: n, zone: o, serial: s.Serial()}
	t := visit{view: v, zone: o, qtype: qtype, limits: &unlimited, free: unlimited.Size, records: &b}
	t.rrset(s, m, qtype)
	return b.answer.Records
}
