package differential

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

// matcher reports whether a difference is the one that an entry of the list describes. The
// entry is the one with the number and the beginning of the question.
type matcher struct {
	number   string
	question string
	matches  func(*comparison) bool
}

// about reports whether an entry of the matcher's section can explain the question.
func (m *matcher) about(c *comparison) bool {
	return strings.HasPrefix(m.question, ofExternal) == c.external
}

var matchers = slices.Concat(stateMatchers, nameMatchers, podMatchers, endpointMatchers, aliasMatchers, serverMatchers, setMatchers, externalMatchers, searchMatchers)

// stateMatchers are about servers without the cluster's data.
var stateMatchers = []matcher{
	{"D4", "any name of ours before the first sync", handedOnUnready},
	{"", "a name that exists without data, or the zone itself, before the first sync", deniedUnready},
	{"", "SOA and NS of the zone, `ns.dns` and `dns-version`, before the first sync", answeredUnready},
}

func handedOnUnready(c *comparison) bool {
	return c.unready && c.negative(c.ours, dns.RcodeServerFailure) && c.fallsThrough(c.q.name) && c.stock.equal(c.behind())
}

func deniedUnready(c *comparison) bool {
	return c.unready && c.negative(c.ours, dns.RcodeServerFailure) && c.negative(c.stock, dns.RcodeSuccess)
}

func answeredUnready(c *comparison) bool {
	p, ok := c.place()
	if !ok || !c.unready || !c.negative(c.ours, dns.RcodeServerFailure) || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	return slices.Contains([]string{"", "ns.dns", "dns-version"}, strings.Join(p.labels, "."))
}

// nameMatchers are about the existence of names and their records.
var nameMatchers = []matcher{
	{"D5", "SOA of a name below the apex that does not exist", soaOfNoName},
	{"D6", "`dns.<zone>`", emptyNonTerminal},
	{"", "a part of an address's reverse name that is above addresses without a name", aboveNameless},
	{"D7", "`dns-version.<zone>`", otherTypes},
	{"D8", "`NS ClUsTeR.LoCaL`", letterCase},
	{"D17", "EndpointSlice of address type FQDN", namedAddresses},
	{"D26", "`_._tcp.<service>...`", unnamedPort},
	{"", "ANY at a name that exists", anyType},
	{"D15", "PTR of an endpoint whose Service does not exist", pointsToNoService},
	{"D9", "PTR of an address whose Namespace does not exist", pointsToNoNamespace},
	{"", "`svc`, `pod`, `dns-version` and `ns.dns` below a reverse zone", forwardInReverse},
	{"", "order of several records", sameOrder},
	{"", "TTLs above those of `cache`", uncappedTTL},
	{"", "question for IXFR over UDP", differenceOverUDP},
}

// differenceOverUDP reports whether our answer is that to a question for the SOA record.
func differenceOverUDP(c *comparison) bool {
	p, ok := c.place()
	return ok && len(p.labels) == 0 && c.transfer && c.q.qtype == dns.TypeIXFR && c.stock.rcode == dns.RcodeRefused &&
		c.ours.header(dns.RcodeSuccess) && c.ours.sameRecords(c.ask(ourServer, c.q.about(c.q.name, dns.TypeSOA)))
}

// soaOfNoName checks with another type that stock does not have the name.
func soaOfNoName(c *comparison) bool {
	if p, ok := c.place(); !ok || len(p.labels) == 0 || c.q.qtype != dns.TypeSOA {
		return false
	}
	other := *c
	other.q = c.q.about(c.q.name, dns.TypeHINFO)
	return c.negative(c.stock, dns.RcodeSuccess) && c.noName(c.ours) && other.noName(c.ask(stockServer, other.q))
}

func emptyNonTerminal(c *comparison) bool {
	p, ok := c.place()
	if !ok || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	if p.reverse {
		return c.above(c.pointers)
	}
	return p.is("dns") || c.aboveProtocol(p)
}

// aboveProtocol reports whether the name is that of a protocol of a named port.
func (c *comparison) aboveProtocol(p place) bool {
	name, namespace, below, ok := c.underService(p)
	if !ok || len(below) != 1 {
		return false
	}
	protocol := strings.TrimPrefix(below[0], "_")
	service := c.world.service(name, namespace)
	switch {
	case service == nil || alias(service):
		return false
	case !headless(service):
		return slices.ContainsFunc(service.Spec.Ports, func(port servicePort) bool {
			return port.Name != "" && strings.EqualFold(string(port.Protocol), protocol)
		})
	}
	return slices.ContainsFunc(c.world.slicesOf(name, namespace), func(slice *endpointSlice) bool {
		return len(readyAddrs(slice)) > 0 && slices.ContainsFunc(slice.Ports, func(port slicePort) bool {
			return valueOf(port.Name) != "" && strings.EqualFold(string(valueOf(port.Protocol)), protocol)
		})
	})
}

// above reports whether the name is a part of one of the names.
func (c *comparison) above(names map[string]bool) bool {
	suffix := "." + c.q.lower()
	for name := range names {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// aboveNameless reports whether the name is above addresses of objects, none of which has a
// PTR record.
func aboveNameless(c *comparison) bool {
	p, ok := c.place()
	if !ok || !p.reverse || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	return !c.above(c.pointers) && c.above(c.world.reverseNames())
}

// pointers returns the reverse names with a PTR record.
func (w *world) pointers(c *corefile) map[string]bool {
	return w.reverseNamesOf(func(namespace string, service *corev1.Service) bool {
		return w.exists(namespace) && c.exposes(namespace) && service != nil && !alias(service)
	})
}

// reverseNames returns the reverse names of all addresses of Services and ready endpoints.
func (w *world) reverseNames() map[string]bool {
	return w.reverseNamesOf(func(string, *corev1.Service) bool { return true })
}

// reverseNamesOf returns the reverse names of the chosen Services and their slices. A slice
// may belong to a Service that does not exist.
func (w *world) reverseNamesOf(chosen func(namespace string, service *corev1.Service) bool) map[string]bool {
	names := map[string]bool{}
	add := func(namespace string, service *corev1.Service, addresses []string) {
		if !chosen(namespace, service) {
			return
		}
		for _, address := range addresses {
			for _, name := range reverse.Names(address) {
				names[name] = true
			}
		}
	}
	for _, service := range w.services {
		add(service.Namespace, service, clusterIPs(service))
	}
	for _, slice := range w.slices {
		add(slice.Namespace, w.service(serviceName(slice), slice.Namespace), readyAddrs(slice))
	}
	return names
}

// otherTypes reports whether the question is for a type that names with records of one type
// do not have.
func otherTypes(c *comparison) bool {
	p, ok := c.place()
	if !ok || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	switch {
	case p.is("dns-version"):
		return c.q.qtype != dns.TypeTXT
	case p.is("ns", "dns"):
		return c.q.qtype != dns.TypeA && c.q.qtype != dns.TypeAAAA
	}
	return p.reverse && c.q.qtype != dns.TypePTR && c.pointers[c.q.lower()]
}

// letterCase asks both again in lower case. Then they must agree, or differ only as the
// entries about name servers say.
func letterCase(c *comparison) bool {
	if c.q.name == c.q.lower() || !c.aboutServers() {
		return false
	}
	low := *c
	low.q = c.q.about(c.q.lower(), c.q.qtype)
	low.stock, low.ours = c.ask(stockServer, low.q), c.ask(ourServer, low.q)
	return low.explainedByServers() && c.ours.alike(low.ours) && (c.negative(c.stock, dns.RcodeSuccess) || c.noName(c.stock))
}

// explainedByServers reports whether there is no difference, or one of those about
// name servers.
func (c *comparison) explainedByServers() bool {
	if !c.differs() || sameOrder(c) || slices.ContainsFunc(serverMatchers, func(m matcher) bool { return m.matches(c) }) {
		return true
	}
	last, ok := c.atTheEnd()
	return ok && last.explainedByServers()
}

// aboutServers reports whether the question is for NS records, or for the addresses
// of ns.dns, to which an alias may lead.
func (c *comparison) aboutServers() bool {
	if _, isNS := c.isNS(); isNS {
		return true
	}
	p, ok := c.locate(c.walk().final)
	return ok && p.is("ns", "dns")
}

// unnamedPort reports whether the port or protocol in the question is a single underscore.
func unnamedPort(c *comparison) bool {
	_, _, below, ok := c.serviceAsked()
	return ok && len(below) == 2 && slices.Contains(below, "_") && c.stock.header(dns.RcodeSuccess) && c.noName(c.ours)
}

// anyType reports whether the only thing that stock's answer lacks is one RRset of a name
// of ours. Another plugin's alias may lead to the name.
func anyType(c *comparison) bool {
	if c.q.qtype != dns.TypeANY || !c.ours.header(dns.RcodeSuccess) || c.stock.problem != nil {
		return false
	}
	rrset := slices.DeleteFunc(slices.Clone(c.ours.answer), func(text string) bool { return slices.Contains(c.stock.answer, text) })
	if len(rrset) == 0 || len(c.stock.answer)+len(rrset) != len(c.ours.answer) {
		return false
	}
	first := c.ours.msg.Answer[slices.IndexFunc(c.ours.msg.Answer, func(rr dns.RR) bool { return text(rr) == rrset[0] })].Header()
	if _, ok := c.locate(first.Name); !ok && !slices.Equal(rrset, c.ask(stockServer, c.q.about(first.Name, first.Rrtype)).answer) {
		return false // nor has rewrite given a record of ours that name
	}
	single := c.ask(ourServer, c.q.about(first.Name, first.Rrtype))
	whole := c.ask(ourServer, c.q.about(c.q.name, first.Rrtype))
	return slices.Equal(rrset, single.answer) && c.ours.sameRecords(whole)
}

// sameOrder asks again, because our order must always be the same.
func sameOrder(c *comparison) bool {
	return c.ordered && c.stock.equal(c.ours) && c.ours.sameOrder(c.ask(ourServer, c.q)) && c.ours.sameOrder(c.ask(ourServer, c.q))
}

// uncappedTTL reports whether ours is stock's answer with the TTLs that our records
// have, where stock's are what the cache caps them to.
func uncappedTTL(c *comparison) bool {
	if !c.cached || c.ours.problem != nil {
		return false
	}
	m := c.ours.msg.Copy()
	for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
		h := rr.Header()
		if h.Rrtype == dns.TypeOPT {
			continue
		}
		if h.Ttl != c.ttl && h.Ttl != versionTTL {
			return false
		}
		h.Ttl = min(h.Ttl, c.cacheTTL)
	}
	return newReply(m).equal(c.stock)
}

// versionTTL is the TTL of dns-version.
const versionTTL = 28800

// forwardInReverse reports whether the name has a form that only forward zones have.
func forwardInReverse(c *comparison) bool {
	p, ok := c.place()
	if !ok || !p.reverse || !c.stock.header(dns.RcodeSuccess) || !c.noName(c.ours) {
		return false
	}
	return slices.Contains([]string{"svc", "pod", "dns-version", "ns.dns"}, strings.Join(p.labels, "."))
}
