package published

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// comparison is a question with both answers.
type comparison struct {
	*scene
	q           question
	other, ours *reply
}

// matcher says of a comparison whether it shows what an entry describes. That ours is right is known
// already.
type matcher struct {
	entry   string // beginning of a row in the section k8s_gateway
	matches func(*comparison) bool
}

// matchers are in the order in which they are tried.
var matchers = []matcher{
	{"AXFR, IXFR", transfers},
	{"NS, beside an Ingress with a rule for all hosts", unanswered},
	{classless, panics},
	{serverSix, serverInSix},
	{"SOA and NS of the zone, with `fallthrough`", apexFallsThrough},
	{"a name below the server's name, with `fallthrough`", belowServer},
	{"a wildcard directly below the zone", wildcardAtApex},
	{unaccepted, showsWhatOursLacks(unaccepted)},
	{elsewhere, belowOtherZone},
	{secondRef, otherAddresses(secondRef)},
	{contested, otherAddresses(contested)},
	{manyNames, otherAddresses(manyNames)},
	{byListeners, lacksWhatOursShows(byListeners)},
	{capitals, lacksWhatOursShows(capitals)},
	{aliases, lacksWhatOursShows(aliases)},
	{hostless, isBelowNarrow},
	{twoKinds, oneOfTwo},
	{hostnames, lookedUp},
	{"ANY at a name that exists", anyType},
	{"a wildcard |", otherWildcard},
	{"a name with nothing but names below it", emptyNonTerminal},
	{"a name that exists, asked for a type", noSuchType},
	{"a name that does not exist, asked for MX", noSuchName},
}

// Entries that are about every answer, beside others.
const (
	timeToLive = "TTL of the SOA and NS records"
	letterCase = "letter case of the name in an answer"
	serial     = "serial"
	serverSix  = "the server's name, and NS, if its Service has an IPv6 address"
)

// odd reports whether the question is about a thing of an entry, or about a name that the other
// takes for one.
func (c *comparison) odd(entry string) bool {
	return slices.ContainsFunc(c.hit(c.q.name), func(t *thing) bool { return t.odd == entry })
}

func (c *comparison) zone() string { return zoneOf(c.q.name) }

func (c *comparison) isZone() bool { return strings.EqualFold(c.q.name, c.zone()) }

// lacks reports whether a reply has no records for the question: because there is no such name, no
// such type, or because the next plugin answers.
func (c *comparison) lacks(r *reply) bool {
	soa := c.q.qtype == dns.TypeSOA && !c.isZone() && r.is(dns.RcodeSuccess, "SOA", "")
	return soa || r.denies() || r.noData() || c.falls && r.is(dns.RcodeSuccess, "TXT", "") && strings.HasSuffix(r.answer[0], "\t\"next\"")
}

// shows reports whether a reply has records of the question's name.
func (c *comparison) shows(r *reply) bool {
	return r.problem == nil && len(r.answer) > 0 && !c.lacks(r)
}

func isAddress(qtype uint16) bool { return qtype == dns.TypeA || qtype == dns.TypeAAAA }

func transfers(c *comparison) bool {
	return c.q.qtype == dns.TypeAXFR && c.other.is(dns.RcodeSuccess, "", "SOA") && c.ours.rcode == dns.RcodeRefused
}

// unanswered is about a record that cannot be sent: the server without a name has an address.
func unanswered(c *comparison) bool {
	return c.q.qtype == dns.TypeNS && c.isZone() && c.second == "" && c.other.problem != nil && c.ours.is(dns.RcodeSuccess, "NS", "")
}

func panics(c *comparison) bool {
	return len(c.classes) > 0 && c.odd(classless) && c.other.problem == nil && c.other.rcode == dns.RcodeServerFailure && len(c.other.answer) == 0
}

func serverInSix(c *comparison) bool {
	if c.q.qtype == dns.TypeNS && c.isZone() {
		return c.other.is(dns.RcodeSuccess, "NS", "") && types(c.other.msg.Extra) == "A" && strings.Contains(strings.Join(c.other.extra, " "), "\t0.0.0.0")
	}
	if c.q.qtype == dns.TypeA && c.other.is(dns.RcodeSuccess, "A", "") && c.other.answer[0] == text(strings.ToLower(c.q.name), c.ttl, "A 0.0.0.0") {
		return slices.Equal(c.other.answer[1:], c.ours.answer)
	}
	return c.q.qtype == dns.TypeAAAA && strings.EqualFold(c.q.name, c.server+"."+c.zone()) && c.other.noData() && c.ours.is(dns.RcodeSuccess, "AAAA", "")
}

// apexFallsThrough is about a zone that the other takes for a name that does not exist.
func apexFallsThrough(c *comparison) bool {
	return c.falls && c.isZone() && c.other.is(dns.RcodeSuccess, "TXT", "") && c.lacks(c.other)
}

// wildcardAtApex is about a wildcard that the other gives the zone itself.
func wildcardAtApex(c *comparison) bool {
	return c.isZone() && c.names["*."+strings.ToLower(c.q.name)] != nil && (c.shows(c.other) || c.ours.is(dns.RcodeSuccess, "SOA", ""))
}

// showsWhatOursLacks is about a name that only the other has.
func showsWhatOursLacks(entry string) func(*comparison) bool {
	return func(c *comparison) bool {
		ours := c.lacks(c.ours) || c.byWildcard()
		return c.odd(entry) && ours && (c.shows(c.other) || c.lacks(c.other)) // it lacks some types of the name
	}
}

// byWildcard reports whether ours makes the name from a wildcard.
func (c *comparison) byWildcard() bool {
	name := strings.ToLower(c.q.name)
	has, _ := c.find(name, c.zone())
	return has != nil && c.names[name] == nil
}

// lacksWhatOursShows is about a name that only ours has.
func lacksWhatOursShows(entry string) func(*comparison) bool {
	return func(c *comparison) bool {
		found := c.odd(entry) || slices.ContainsFunc(c.byOdd[entry], func(t *thing) bool {
			return slices.ContainsFunc(t.names, func(n string) bool { return strings.EqualFold(n, c.q.name) })
		})
		return found && (c.lacks(c.other) || c.hasApexWildcard(c.other))
	}
}

// belowOtherZone is about a name outside the zone that the other has below the zone.
func belowOtherZone(c *comparison) bool {
	outside := func(t *thing) bool {
		return slices.ContainsFunc(t.hosts, func(host string) bool {
			return t.odd == elsewhere || zoneOf(host+".") != "" && zoneOf(host+".") != c.zone()
		})
	}
	return slices.ContainsFunc(c.hit(c.q.name), outside) && (c.shows(c.other) || c.lacks(c.other))
}

// hasApexWildcard reports whether a reply has the records of the wildcard directly below the zone.
func (c *comparison) hasApexWildcard(r *reply) bool {
	has := c.names["*."+c.zone()]
	return has != nil && r.problem == nil && slices.Equal(r.answer, c.rrset(strings.ToLower(c.q.name), c.q.qtype, has))
}

// belowServer is about a name that does not exist below the server's.
func belowServer(c *comparison) bool {
	below := within(strings.ToLower(c.q.name), c.server+"."+c.zone())
	return below && c.falls && c.other.denies() && c.ours.is(dns.RcodeSuccess, "TXT", "")
}

// otherAddresses is about a name that both have, but not with the same records.
func otherAddresses(entry string) func(*comparison) bool {
	return func(c *comparison) bool {
		return c.odd(entry) && isAddress(c.q.qtype) && (c.shows(c.other) && c.shows(c.ours) || c.shows(c.other) && c.ours.noData() || c.shows(c.ours) && c.lacks(c.other))
	}
}

// isBelowNarrow is about the hostname of a listener.
func isBelowNarrow(c *comparison) bool {
	return within(strings.ToLower(c.q.name), strings.TrimPrefix(places[3].listener, "*.")+".") && c.lacks(c.other)
}

// oneOfTwo is about a name whose texts and addresses come from two objects.
func oneOfTwo(c *comparison) bool {
	return c.odd(twoKinds) && c.lacks(c.other) && (c.ours.is(dns.RcodeSuccess, "TXT", "") || c.ours.is(dns.RcodeSuccess, "A", ""))
}

// lookedUp is about a name that is an alias of localhost, whose addresses the other has.
func lookedUp(c *comparison) bool {
	if !c.odd(hostnames) || len(c.ours.answer) == 0 || !strings.Contains(c.ours.answer[0]+c.ours.answer[len(c.ours.answer)-1], "\tCNAME\tlocalhost.") {
		return false
	}
	switch c.q.qtype {
	case dns.TypeA:
		return c.other.is(dns.RcodeSuccess, "A", "") && strings.HasSuffix(c.other.answer[0], "\t127.0.0.1")
	case dns.TypeAAAA:
		return c.lacks(c.other) || c.other.is(dns.RcodeSuccess, "AAAA", "")
	}
	return c.lacks(c.other) || c.other.is(dns.RcodeSuccess, "SOA", "")
}

func anyType(c *comparison) bool {
	return c.q.qtype == dns.TypeANY && c.lacks(c.other) && c.shows(c.ours)
}

// otherWildcard is about a wildcard that only one of them applies: ours below more labels, the other
// to names that exist.
func otherWildcard(c *comparison) bool {
	name := strings.ToLower(c.q.name)
	if c.names[name] == nil && c.above[name] {
		return c.shows(c.other) && c.lacks(c.ours) || c.other.is(dns.RcodeSuccess, "", "SOA")
	}
	has, exists := c.find(name, c.zone())
	return exists && has != nil && c.names[name] == nil && c.names["*."+parentOf(name)] != has && c.lacks(c.other)
}

func emptyNonTerminal(c *comparison) bool {
	name := strings.ToLower(c.q.name)
	return c.names[name] == nil && c.above[name] && c.ours.noData() && (c.lacks(c.other) || c.other.is(dns.RcodeSuccess, "SOA", ""))
}

func noSuchType(c *comparison) bool {
	_, exists := c.find(strings.ToLower(c.q.name), c.zone())
	exists = exists || strings.EqualFold(c.q.name, c.server+"."+c.zone())
	return exists && c.ours.noData() && (c.other.denies() || c.q.qtype == dns.TypeSOA && c.other.is(dns.RcodeSuccess, "SOA", ""))
}

// noSuchName is about a name that does not exist, and that the other has for some types.
func noSuchName(c *comparison) bool {
	return c.ours.denies() && (c.other.noData() || c.q.qtype == dns.TypeSOA && c.other.is(dns.RcodeSuccess, "SOA", ""))
}

// corrected returns the other's answer with the TTL and the letter case of ours, and the entries
// about those that it needed.
func (c *comparison) corrected() (entries []string) {
	if c.other.problem != nil {
		return nil
	}
	for _, section := range [][]dns.RR{c.other.msg.Answer, c.other.msg.Ns, c.other.msg.Extra} {
		for _, rr := range section {
			if rr.Header().Rrtype != dns.TypeOPT && rr.Header().Ttl == 60 && c.ttl != 60 {
				entries = append(entries, timeToLive)
				rr.Header().Ttl = c.ttl
			}
			if soa, ok := rr.(*dns.SOA); ok && c.ttl != 60 && soa.Minttl == 60 {
				soa.Minttl = c.ttl
			}
			if soa, ok := rr.(*dns.SOA); ok && soa.Serial == 12345 {
				entries = append(entries, serial)
			}
		}
	}
	if c.recased() {
		entries = append(entries, letterCase)
	}
	c.other = newReply(c.other.msg, nil)
	return entries
}

// recased reports whether the other's answer begins with a record of the question's name in other
// letters, where ours repeats the question.
func (c *comparison) recased() bool {
	if len(c.other.msg.Answer) == 0 || c.ours.problem != nil || len(c.ours.msg.Answer) == 0 {
		return false
	}
	name, own := c.other.msg.Answer[0].Header().Name, c.ours.msg.Answer[0].Header().Name
	return name != c.q.name && strings.EqualFold(name, c.q.name) && own == c.q.name
}
