package differential

import (
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// aliasMatchers are about Services of type ExternalName.
var aliasMatchers = []matcher{
	{"D14", "ExternalName whose target is NXDOMAIN or fails upstream", func(c *comparison) bool {
		w := c.walk()
		return w.left != "" && isAddress(c.q.qtype) && w.last.rcode != dns.RcodeSuccess && c.walked(w)
	}},
	{"D14", "ExternalName to a name outside the zone that has no such type", func(c *comparison) bool {
		w := c.walk()
		return w.left != "" && isAddress(c.q.qtype) && w.noData(c.q.qtype) && c.walked(w)
	}},
	{"D14", "ExternalName asked for TXT, SRV, HTTPS and other types", func(c *comparison) bool {
		w := c.walk()
		return !isAddress(c.q.qtype) && c.walked(w)
	}},
	{"D14", "ExternalName to a name in the zone that does not exist, or without the type", func(c *comparison) bool {
		w := c.walk()
		return w.left == "" && w.end == found && isAddress(c.q.qtype) && w.last.empty() && !w.behind && c.walked(w)
	}},
	{"D14", "ExternalName that leads in a circle", func(c *comparison) bool {
		w := c.walk()
		return w.end == circle && isAddress(c.q.qtype) && c.walked(w)
	}},
	{"", "ExternalName to a name in the zone that does not exist, with `fallthrough` for it", func(c *comparison) bool {
		w := c.walk()
		return w.left == "" && isAddress(c.q.qtype) && w.behind && c.walked(w)
	}},
	{"", "a chain of more than eleven ExternalNames", func(c *comparison) bool {
		w := c.walk()
		return len(w.links) > stocksLinks && w.end == found && isAddress(c.q.qtype) && !w.last.empty() && c.walked(w)
	}},
}

func isAddress(qtype uint16) bool { return qtype == dns.TypeA || qtype == dns.TypeAAAA }

// The ends of a walk.
type end int

const (
	found  end = iota // at a name that is no alias
	circle            // the last alias leads back to an earlier name
)

// stocksLinks is how many aliases stock follows in each zone.
const stocksLinks = 11

// walk is the chain of aliases from a name to the last one.
type walk struct {
	links  []dns.RR // CNAME records
	end    end
	final  string
	left   string // the first name that is not in the zone of the question
	inside int    // how many aliases are in that zone
	last   *reply // what we answer to the question about the final name
	behind bool   // last is the answer of the next plugins
}

// walk follows the aliases of the world from the question's name, and asks for the last
// name.
func (c *comparison) walk() *walk {
	w := &walk{final: c.q.name, last: &reply{msg: new(dns.Msg)}}
	if p, ok := c.place(); ok {
		c.follow(w, p.origin)
	}
	if len(w.links) > 0 && w.end == found {
		q := c.q.about(w.final, c.q.qtype).overTCP()
		w.last = c.ask(ourServer, q)
		w.behind = c.fallsThrough(w.final) && w.last.equal(c.ask(behindServer, q))
	}
	return w
}

func (c *comparison) follow(w *walk, origin string) {
	owners := map[string]bool{}
	for target := c.aliasAt(w.final); target != ""; target = c.aliasAt(w.final) {
		owners[strings.ToLower(w.final)] = true
		w.add(target, c.ttl, origin)
		if c.external {
			return
		}
		if owners[target] {
			w.end = circle
			return
		}
	}
}

func (w *walk) add(target string, ttl uint32, origin string) {
	hdr := dns.RR_Header{Name: w.final, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl}
	w.links = append(w.links, &dns.CNAME{Hdr: hdr, Target: target})
	w.final = target
	if w.left != "" {
		return
	}
	w.inside++
	if !dns.IsSubDomain(origin, target) {
		w.left = target
	}
}

// noData reports whether the last name exists without the type. The upstream's answer
// may be aliases too.
func (w *walk) noData(qtype uint16) bool {
	return w.end == found && w.last.problem == nil && w.last.rcode == dns.RcodeSuccess &&
		!slices.ContainsFunc(w.last.msg.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == qtype })
}

// aliasAt returns the target of the alias with the name, or "" if there is none.
func (c *comparison) aliasAt(name string) string {
	there := *c
	there.scene = c.main.of(name)
	p, ok := there.locate(name)
	if !ok {
		return ""
	}
	service, namespace, below, ok := there.underService(p)
	if ok && there.external {
		return there.hostAt(there.world.service(service, namespace), below)
	}
	if !ok || len(below) > 0 || !alias(c.world.service(service, namespace)) {
		return ""
	}
	return target(c.world.service(service, namespace))
}

// walked reports whether our answer has the whole chain, and stock's the part of it that
// stock follows.
func (c *comparison) walked(w *walk) bool {
	return len(w.links) > 0 && w.last.problem == nil && c.ours.matches(c.wholeWay(w)) && c.stock.matches(c.stocksWay(w))
}

// wholeWay returns all aliases, and then the answer to the last name: all of it if it is in
// our zones, otherwise its records and the SOA record. A server that refuses the last name
// says nothing about it.
func (c *comparison) wholeWay(w *walk) *reply {
	m := &dns.Msg{Answer: slices.Clone(w.links)}
	if w.end == found && w.last.rcode != dns.RcodeRefused {
		m.Rcode = w.last.rcode
		m.Answer = append(m.Answer, w.last.msg.Answer...)
		m.Ns, m.Extra = w.last.msg.Ns, w.last.msg.Extra
		if p, ok := c.locate(w.final); !ok || p.reverse || w.behind {
			m.Ns, m.Extra = soas(m), nil
		}
	}
	return c.expect(m)
}

// soas returns the SOA records of a negative answer.
func soas(m *dns.Msg) []dns.RR {
	if m.Rcode == dns.RcodeSuccess && m.Answer[len(m.Answer)-1].Header().Rrtype != dns.TypeCNAME {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.Ns), func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeSOA })
}

// stocksWay returns the aliases that stock follows: those up to the first that leads out of
// the zone, and what stock finds there, but no further. If the chain ends in the zone and
// stock's plugin has no record there, or for all types but addresses, stock answers NODATA.
func (c *comparison) stocksWay(w *walk) *reply {
	m := &dns.Msg{Ns: []dns.RR{c.soa()}}
	if isAddress(c.q.qtype) && w.inside <= stocksLinks && (w.left != "" || w.end == found) {
		q := c.q.about(cmp.Or(w.left, w.final), c.q.qtype).overTCP()
		there := c.ask(stockServer, q)
		handedOn := c.fallsThrough(q.name) && there.equal(c.ask(behindServer, q))
		if there.problem == nil && (w.left != "" || len(there.answer) > 0 && !handedOn) {
			m.Answer, m.Ns = append(slices.Clone(w.links[:w.inside]), there.msg.Answer...), nil
		}
	}
	return c.expect(m)
}

// atTheEnd returns the comparison of the answers for the last name, if the difference comes
// from there.
func (c *comparison) atTheEnd() (*comparison, bool) {
	w := c.walk()
	if len(w.links) == 0 || w.end != found || !c.walked(w) {
		return nil, false
	}
	last := *c
	last.scene = c.main.of(w.final)
	last.q = c.q.about(w.final, c.q.qtype).overTCP()
	if last.exchange() != nil || !last.differs() {
		return nil, false
	}
	return &last, true
}

// namedAddresses reports whether the question is about a Service with domain names as
// endpoints. Stock makes aliases of them, and adds the records of their targets.
func namedAddresses(c *comparison) bool {
	name, namespace, _, ok := c.serviceAsked()
	names := c.world.namedEndpoints(name, namespace)
	if !ok || len(names) == 0 || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	kept := c.withoutAliases(names)
	if len(kept) > 0 {
		return len(kept) < len(c.stock.answer) && c.ours.matches(c.expect(&dns.Msg{Answer: kept}))
	}
	return c.noName(c.ours) || len(c.stock.answer) > 0 && c.negative(c.ours, dns.RcodeSuccess)
}

// withoutAliases returns stock's answer without the aliases to the names and without
// records of other owners, which are their targets. With a cache, those determine the TTL.
func (c *comparison) withoutAliases(names []string) []dns.RR {
	var kept []dns.RR
	for _, rr := range c.stock.msg.Answer {
		cname, isAlias := rr.(*dns.CNAME)
		toName := isAlias && slices.Contains(names, cname.Target)
		if strings.EqualFold(rr.Header().Name, c.q.name) && !toName {
			rr = dns.Copy(rr)
			rr.Header().Ttl = c.ttl
			kept = append(kept, rr)
		}
	}
	return kept
}

// namedEndpoints returns the ready endpoints of a Service that are domain names.
func (w *world) namedEndpoints(name, namespace string) []string {
	var names []string
	for _, slice := range w.slicesOf(name, namespace) {
		if slice.AddressType != addressTypeFQDN {
			continue
		}
		for _, address := range readyAddrs(slice) {
			names = append(names, dns.Fqdn(address))
		}
	}
	return names
}
