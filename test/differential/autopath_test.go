package differential

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// podAddrs are the addresses of the machine from which Pods ask, each with the
// Namespaces of the running Pods that have it.
var podAddrs = map[netip.Addr][]string{
	netip.MustParseAddr("10.244.40.1"): {"zoo"},
	netip.MustParseAddr("10.244.40.2"): {"gen"},
	netip.MustParseAddr("10.244.40.3"): {"hidden"}, // and of a Pod of zoo that has ended
	netip.MustParseAddr("10.244.40.4"): {"gen", "zoo"},
	netip.MustParseAddr("10.244.40.5"): nil,
}

// plainAddr is an address that no Pod has, and of no network that a Corefile blocks.
var plainAddr = netip.MustParseAddr("127.0.0.1")

const askingPods = `
{apiVersion: v1, kind: Pod, metadata: {name: asking, namespace: zoo}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Running, podIP: 10.244.40.1, podIPs: [{ip: 10.244.40.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asking, namespace: gen}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Running, podIP: 10.244.40.2, podIPs: [{ip: 10.244.40.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asked, namespace: zoo}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Succeeded, podIP: 10.244.40.3, podIPs: [{ip: 10.244.40.3}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asking, namespace: hidden}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Running, podIP: 10.244.40.3, podIPs: [{ip: 10.244.40.3}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asking-from-a-node, namespace: zoo}, spec: {hostNetwork: true, containers: [{name: a, image: a}]},
  status: {phase: Running, hostIP: 10.244.40.4, podIP: 10.244.40.4, podIPs: [{ip: 10.244.40.4}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: asking-from-a-node, namespace: gen}, spec: {hostNetwork: true, containers: [{name: a, image: a}]},
  status: {phase: Running, hostIP: 10.244.40.4, podIP: 10.244.40.4, podIPs: [{ip: 10.244.40.4}]}}
`

// clientAddrs returns the addresses of a Corefile's clients: those of Pods if names are
// completed for them, otherwise any.
func (c *corefile) clientAddrs() []netip.Addr {
	if !c.autopath {
		return []netip.Addr{{}}
	}
	return slices.SortedFunc(maps.Keys(podAddrs), netip.Addr.Compare)
}

// searchedNames returns the names that resolvers make with the search paths of Pods.
func (c *corefile) searchedNames(w *world) []string {
	s := nameSet{}
	bases := []string{
		"www.example.org", "six.example.org", "chain.example.org", "nowhere.example.org", "big.example.org", "text.example.org",
		"www.servfail.example", "www.refused.example", "never", "never.zoo", "never.zoo.svc", "com", "_http._tcp.www.example.org", "ns.dns", "svc", "1.100.51.198.in-addr.arpa",
	}
	for _, service := range w.services {
		if slices.Contains([]string{"zoo", "gen", "hidden"}, service.Namespace) {
			bases = append(bases, service.Name, service.Name+"."+service.Namespace, service.Name+"."+service.Namespace+".svc", service.Name+"."+service.Namespace+".svc.cluster.local")
		}
	}
	slices.Sort(bases)
	for i, base := range bases {
		s.add("%s.zoo.svc.cluster.local", base)
		for k, suffix := range []string{"gen.svc.cluster.local", "hidden.svc.cluster.local", "svc.cluster.local", "cluster.local"} {
			if (i+k)%4 == 0 {
				s.add("%s.%s", base, suffix)
			}
		}
	}
	for _, namespace := range []string{"zoo", "gen", "hidden", "never"} {
		s.add("%s.svc.cluster.local", namespace)
		for _, below := range []string{"", "www.example.org.", "svc.", "never."} {
			s.add("%s%s.svc.in-addr.arpa", below, namespace)
		}
	}
	return s.sorted()
}

// searchMatchers are about names that are completed for Pods.
var searchMatchers = []matcher{
	{"D21", "`<ns>.svc.<zone>` with `autopath @kubernetes`", searchDomain},
	{"D21", "a searched name with `autopath @kubernetes`, from a node's address", fromANode},
}

// searchDomain reports whether the question is for the first suffix itself, for which stock
// fails.
func searchDomain(c *comparison) bool {
	return slices.ContainsFunc(podAddrs[c.asker.client], func(namespace string) bool {
		p, _ := c.place()
		return slices.Equal(p.labels, []string{namespace, "svc"})
	}) && c.stock.problem == nil && c.stock.rcode == dns.RcodeServerFailure && c.ours.equal(c.ask(ourServer, c.q))
}

// fromANode reports whether ours leaves the name alone, and stock completes it for one of
// the Pods there.
func fromANode(c *comparison) bool {
	namespaces := podAddrs[c.asker.client]
	if len(namespaces) < 2 || !c.ours.says(c.ask(ourServer, c.q)) {
		return false
	}
	return slices.ContainsFunc(namespaces, func(namespace string) bool {
		found, _ := c.completedByStock(namespace)
		return found != nil && c.stock.says(found)
	})
}

// says reports whether two replies are equal, apart from what a server repeats of the
// question.
func (r *reply) says(other *reply) bool {
	if r.problem != nil || other.problem != nil {
		return r.problem != nil && other.problem != nil
	}
	return r.rcode == other.rcode && r.flags.aa == other.flags.aa && r.flags.ra == other.flags.ra && (r.flags.tc || r.sameRecords(other))
}

// searched returns the names that a question from a Pod of a Namespace stands for; nil if
// it is not a searched name.
func (c *comparison) searched(namespace string) []string {
	p, ok := c.place()
	first := namespace + ".svc." + p.origin
	if !ok || !dns.IsSubDomain(first, c.q.lower()) || c.q.lower() == first {
		return nil
	}
	base := c.q.name[:len(c.q.name)-len(first)]
	return []string{base + first, base + "svc." + p.origin, base + p.origin, base}
}

// completed returns the reply that a completing server must send: its own reply to the
// first of these names that exists, after an alias.
func (c *comparison) completed(server int, namespace string) (found *reply, at int) {
	names := c.searched(namespace)
	for i, name := range names {
		if _, ok := dns.IsDomainName(name); !ok || len(name) > 254 {
			return nil, 0
		}
		r := c.ask(server, c.q.about(name, c.q.qtype).overTCP())
		if r.problem != nil || r.rcode != dns.RcodeNameError {
			if i == 0 && server == ourServer { // left alone
				return r, 0
			}
			return c.aliased(r), i
		}
	}
	if len(names) == 0 {
		return nil, 0
	}
	return c.ask(server, c.q.about(names[0], c.q.qtype).overTCP()), 0
}

// aliased returns an answer to another name as an answer to the question.
func (c *comparison) aliased(r *reply) *reply {
	if r.problem != nil {
		return r
	}
	m := r.msg.Copy()
	for _, rr := range m.Answer {
		if !strings.EqualFold(rr.Header().Name, c.q.name) {
			hdr := dns.RR_Header{Name: c.q.name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: rr.Header().Ttl}
			m.Answer = append([]dns.RR{&dns.CNAME{Hdr: hdr, Target: rr.Header().Name}}, m.Answer...)
			break
		}
	}
	return c.loosen(newReply(m))
}

// orders is how often stock is asked again, because it answers some questions with the
// first of its records in random order.
const orders = 16

// completedByStock returns the reply that stock must send. It asks stock again, up to
// orders times, until that is stock's reply.
func (c *comparison) completedByStock(namespace string) (found *reply, at int) {
	found, at = c.completed(stockServer, namespace)
	for n := 0; n < orders && found != nil && !c.stock.says(found); n++ {
		found, at = c.completed(stockServer, namespace)
	}
	return found, at
}

// afterSearch returns the comparison of the first name on the search path with different
// answers, if both servers complete correctly.
func (c *comparison) afterSearch() (at *comparison, ok bool) {
	namespaces := podAddrs[c.asker.client]
	if !c.autopath || len(namespaces) != 1 {
		return nil, false
	}
	stock, i := c.completedByStock(namespaces[0])
	ours, k := c.completed(ourServer, namespaces[0])
	if stock == nil || ours == nil || !c.stock.says(stock) || !c.ours.says(ours) {
		return nil, false
	}
	for at, name := range c.searched(namespaces[0])[:max(i, k)+1] {
		there := *c
		there.q, there.asker = c.q.about(name, c.q.qtype).overTCP(), c.asker.plain
		there.scene = c.main.of(name)
		tries := 1
		if at == max(i, k) {
			tries = orders
		}
		if there.differsWithin(tries) {
			return &there, true
		}
	}
	// The same, but for an alias that stock names twice.
	return nil, i == 0 && k == 0 && len(c.stock.answer) == len(c.ours.answer)+1
}

// differsWithin asks both servers until they differ, up to tries times.
func (c *comparison) differsWithin(tries int) bool {
	for range tries {
		if c.exchange() == nil && c.differs() {
			return true
		}
	}
	return false
}

// inLowerCase returns the comparison of the same question in lower case, if the answers
// differ in nothing else. Stock's denials do not repeat the question correctly: they have
// the search domain in lower case.
func (c *comparison) inLowerCase() (*comparison, bool) {
	if !c.autopath || c.q.name == c.q.lower() || c.asker == c.asker.plain {
		return nil, false
	}
	low := *c
	low.q = c.q.about(c.q.lower(), c.q.qtype)
	for range orders {
		if low.exchange() != nil || !c.ours.alike(low.ours) {
			return nil, false
		}
		if c.stock.problem != nil && low.stock.problem == nil || c.stock.alike(low.stock) {
			return &low, true
		}
	}
	return nil, false
}
