package differential

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// reply is an answer of a server in a form that can be compared. A section is a set: its
// records are sorted texts.
type reply struct {
	problem error // no reply, or not a DNS message
	msg     *dns.Msg
	rcode   int
	flags   flags
	opt     string
	answer  []string
	ns      []string
	extra   []string
}

// flags are the bits of the header that a server chooses or copies.
type flags struct{ aa, tc, rd, ra, ad, cd, z bool }

func (f flags) String() string {
	var names []string
	for _, flag := range []struct {
		name string
		set  bool
	}{{"aa", f.aa}, {"tc", f.tc}, {"rd", f.rd}, {"ra", f.ra}, {"ad", f.ad}, {"cd", f.cd}, {"z", f.z}} {
		if flag.set {
			names = append(names, flag.name)
		}
	}
	return strings.Join(names, " ")
}

func parseReply(wire []byte, q question) *reply {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return &reply{problem: fmt.Errorf("reply cannot be parsed: %w: % x", err, wire)}
	}
	if !m.Response || m.Opcode != dns.OpcodeQuery {
		return &reply{problem: fmt.Errorf("not a reply: %s", m)}
	}
	if len(m.Question) != 1 || m.Question[0] != (dns.Question{Name: q.name, Qtype: q.qtype, Qclass: q.class}) {
		return &reply{problem: fmt.Errorf("reply to another question: %v", m.Question)}
	}
	ownSize(m, q)
	return newReply(m)
}

// ourSize is the EDNS size in replies of our sockets. CoreDNS repeats the client's size, or
// its own bound on that, or the size of an OPT record that the plugin rewrite has added;
// doc/differences.md lists the difference.
const ourSize = 1232

// ownSize replaces CoreDNS's EDNS size in a reply over UDP by ours.
func ownSize(m *dns.Msg, q question) {
	if opt := m.IsEdns0(); opt != nil && !q.tcp && (q.size == 0 || opt.UDPSize() <= q.size) {
		opt.SetUDPSize(ourSize)
	}
}

func newReply(m *dns.Msg) *reply {
	r := &reply{msg: m, rcode: m.Rcode, flags: flags{
		m.Authoritative, m.Truncated, m.RecursionDesired, m.RecursionAvailable, m.AuthenticatedData, m.CheckingDisabled, m.Zero,
	}}
	r.answer, r.ns = texts(m.Answer), texts(m.Ns)
	for _, rr := range m.Extra {
		if rr.Header().Rrtype == dns.TypeOPT {
			r.opt += strings.Join(strings.Fields(rr.String()), " ")
		} else {
			r.extra = append(r.extra, text(rr))
		}
	}
	slices.Sort(r.extra)
	return r
}

func texts(rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		all = append(all, text(rr))
	}
	slices.Sort(all)
	return all
}

// text returns a record in presentation form. It masks the serial of an SOA record, which
// is the time at which one server or the other saw a change.
func text(rr dns.RR) string {
	if soa, ok := rr.(*dns.SOA); ok {
		timeless := *soa
		timeless.Serial = 0
		rr = &timeless
	}
	return rr.String()
}

// equal reports whether two replies are the same. The sections of truncated replies are not
// compared, because each server may keep other records.
func (r *reply) equal(other *reply) bool {
	if r.problem != nil || other.problem != nil {
		return r.problem != nil && other.problem != nil
	}
	if r.rcode != other.rcode || r.flags != other.flags || r.opt != other.opt {
		return false
	}
	return r.flags.tc || r.sameRecords(other)
}

func (r *reply) sameRecords(other *reply) bool {
	return slices.Equal(r.answer, other.answer) && slices.Equal(r.ns, other.ns) && slices.Equal(r.extra, other.extra)
}

// sameOrder reports whether the records of the answer are in the same order.
func (r *reply) sameOrder(other *reply) bool {
	if r.problem != nil || other.problem != nil {
		return true
	}
	return slices.EqualFunc(r.msg.Answer, other.msg.Answer, func(a, b dns.RR) bool { return text(a) == text(b) })
}

// loosened returns the reply without TTLs if a cache may have changed them: that is, if it
// has records outside the zone that the Corefile excludes from the cache. The cache gives
// all records the smallest TTL and counts it down from a moment that differs between the
// servers. The same holds for a failure to follow an alias of the zone, because a failure
// has no zone and is cached.
func (r *reply) loosened(uncached string) *reply {
	if r.problem != nil {
		return r
	}
	m := r.msg.Copy()
	records := slices.Concat(m.Answer, m.Ns, m.Extra)
	cached := func(rr dns.RR) bool {
		return rr.Header().Rrtype != dns.TypeOPT && outsideOf(uncached, rr.Header().Name)
	}
	if !r.failedAlias(uncached) && !slices.ContainsFunc(records, cached) {
		return r
	}
	for _, rr := range records {
		if h := rr.Header(); h.Rrtype != dns.TypeOPT {
			h.Ttl = 0
		}
	}
	return newReply(m)
}

// failedAlias reports whether the reply ends with an alias to a name outside the zone whose
// look-up failed.
func (r *reply) failedAlias(zone string) bool {
	last := len(r.msg.Answer) - 1
	if r.rcode != dns.RcodeServerFailure || last < 0 {
		return false
	}
	alias, ok := r.msg.Answer[last].(*dns.CNAME)
	return ok && outsideOf(zone, alias.Target)
}

// outsideOf reports whether a name is not in the zone, if there is one.
func outsideOf(zone, name string) bool { return zone == "" || !dns.IsSubDomain(zone, name) }

func (r *reply) String() string {
	if r.problem != nil {
		return r.problem.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, flags %s, OPT %q", dns.RcodeToString[r.rcode], r.flags, r.opt)
	for _, section := range []struct {
		name  string
		texts []string
	}{{"answer", r.answer}, {"authority", r.ns}, {"additional", r.extra}} {
		for _, text := range section.texts {
			fmt.Fprintf(&b, "\n    %-10s %s", section.name, strings.Join(strings.Fields(text), " "))
		}
	}
	return b.String()
}
