package differential

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// externalMatchers are about the zones of k8s_external.
var externalMatchers = []matcher{
	{"D22", ofExternal + "any name of the zone before the first sync", unreadyOutside},
	{"D22", ofExternal + "any name one label below a Service", belowOutside},
	{"D9", ofExternal + "PTR and transfers of Namespaces", hiddenPointers},
	{"D26", ofExternal + "`_._tcp.<service>...`", unnamedPort},
	{"D6", ofExternal + "`_tcp.<service>...` of a headless Service", emptyOutside},
	{"D7", ofExternal + "reverse names, asked for another type", otherTypes},
	{"", ofExternal + "forward names below a reverse zone", serviceInReverse},
	{"", ofExternal + "PTR where the first of the zones is a reverse zone", pointsIntoReverse},
	{"", ofExternal + "NS and the name server of a server that listens", withoutLinkLocal},
	{"D14", ofExternal + "load balancer's hostname that is NXDOMAIN", func(c *comparison) bool {
		w := c.walk()
		return isAddress(c.q.qtype) && !w.noData(c.q.qtype) && w.last.rcode != dns.RcodeSuccess && c.walked(w)
	}},
	{"D14", ofExternal + "load balancer's hostname that has no such type", func(c *comparison) bool {
		w := c.walk()
		return isAddress(c.q.qtype) && w.noData(c.q.qtype) && c.walked(w)
	}},
	{"D14", ofExternal + "Service with a hostname, asked for CNAME", func(c *comparison) bool {
		w := c.walk()
		if c.q.qtype == dns.TypeCNAME {
			return len(w.links) > 0 && c.negative(c.stock, dns.RcodeSuccess) && c.ours.matches(c.expect(&dns.Msg{Answer: w.links}))
		}
		return !isAddress(c.q.qtype) && c.walked(w)
	}},
	{"", ofExternal + "several hostnames", severalHosts},
	{"", ofExternal + "weight of SRV records, where an address", namedTwice},
	{"", ofExternal + "a port of an EndpointSlice without a number", numberlessOutside},
	{"D15", ofExternal + "`endpoint_pod_names` and `headless`", dottedTarget},
	{"D17", ofExternal + "EndpointSlice of address type FQDN", namedOutside},
	{"", ofExternal + "an endpoint's name with an underscore", endpointWithUnderscore},
	{"", ofExternal + "`x.dns.<zone>`, with `fallthrough`", besideServer},
	{"", ofExternal + "ANY at a name that exists", anyType},
	{"", ofExternal + "AXFR, IXFR without the `transfer` plugin", transferOutside},
	{"", ofExternal + "IXFR, NOTIFY", differenceOverUDP},
}

// ofExternal is the beginning of the questions in the entries about k8s_external.
const ofExternal = "k8s_external: "

func unreadyOutside(c *comparison) bool {
	if !c.unready || !c.negative(c.ours, dns.RcodeServerFailure) {
		return false
	}
	return c.noName(c.stock) || c.stock.header(dns.RcodeSuccess)
}

// publishedAsked returns the Service of the question, which has that name or a name below
// it, if it is visible outside.
func (c *comparison) publishedAsked() (service *corev1.Service, below []string) {
	name, namespace, below, ok := c.serviceAsked()
	if service := c.world.service(name, namespace); ok && published(service) {
		return service, below
	}
	return nil, nil
}

// belowOutside reports whether stock gives the same answer for the Service itself.
func belowOutside(c *comparison) bool {
	service, below := c.publishedAsked()
	if service == nil || len(below) != 1 || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	there := c.ask(stockServer, c.q.about(parent(c.q.name), c.q.qtype))
	if len(there.answer) != len(c.stock.answer) {
		return false
	}
	if namedProtocol(service, below[0]) {
		return c.negative(c.ours, dns.RcodeSuccess)
	}
	return c.noName(c.ours)
}

// namedProtocol reports whether a label is the protocol of a port with a name.
func namedProtocol(service *corev1.Service, label string) bool {
	return slices.ContainsFunc(service.Spec.Ports, func(port servicePort) bool {
		return port.Name != "" && strings.EqualFold(string(port.Protocol), strings.TrimPrefix(label, "_"))
	})
}

// hiddenPointers reports whether our PTR records are stock's without those to hidden
// Namespaces.
func hiddenPointers(c *comparison) bool {
	p, _ := c.place()
	if !p.reverse || c.q.qtype != dns.TypePTR || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	want := &dns.Msg{Answer: slices.DeleteFunc(slices.Clone(c.stock.msg.Answer), func(rr dns.RR) bool {
		ptr, ok := rr.(*dns.PTR)
		return ok && !c.visible(namespaceOf(ptr.Ptr))
	})}
	switch len(want.Answer) {
	case len(c.stock.answer):
		return false
	case 0:
		// The name is a part of other names, or does not exist.
		return c.noName(c.ours)
	}
	return c.ours.matches(c.expect(want))
}

// namespaceOf returns the second label of a name outside.
func namespaceOf(name string) string {
	if labels := dns.SplitDomainName(name); len(labels) > 1 {
		return labels[1]
	}
	return ""
}

func emptyOutside(c *comparison) bool {
	p, ok := c.place()
	if !ok || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	if p.reverse {
		return c.above(c.pointers)
	}
	name, namespace, below, ok := c.serviceAsked()
	service := c.world.service(name, namespace)
	if !ok || service == nil || published(service) || !c.headless {
		return false
	}
	if len(below) == 0 {
		return !headless(service) && c.world.hasReady(name, namespace)
	}
	return len(below) == 1 && headless(service) && c.world.hasNamedPort(name, namespace, below[0])
}

// hasNamedPort reports whether ready endpoints have a port with a name and the protocol.
func (w *world) hasNamedPort(name, namespace, protocol string) bool {
	return slices.ContainsFunc(w.slicesOf(name, namespace), func(slice *endpointSlice) bool {
		return len(readyAddrs(slice)) > 0 && slices.ContainsFunc(slice.Ports, func(port slicePort) bool {
			return valueOf(port.Name) != "" && strings.EqualFold(string(valueOf(port.Protocol)), strings.TrimPrefix(protocol, "_"))
		})
	})
}

// serviceInReverse reports whether the name would be a Service's in another zone.
func serviceInReverse(c *comparison) bool {
	p, ok := c.place()
	n := len(p.labels)
	if !ok || !p.reverse || n == 0 || !c.stock.header(dns.RcodeSuccess) || !c.noName(c.ours) {
		return false
	}
	if p.labels[n-1] == externalServers {
		return n == 1 || n == 2 && p.labels[0] == "ns1"
	}
	return c.visible(p.labels[n-1]) && (n == 1 || c.world.service(p.labels[n-2], p.labels[n-1]) != nil)
}

// pointsIntoReverse reports whether our PTR records are stock's with targets in the first
// forward zone.
func pointsIntoReverse(c *comparison) bool {
	p, _ := c.place()
	if !c.reverseFirst || !p.reverse || c.q.qtype != dns.TypePTR || !c.stock.header(dns.RcodeSuccess) || len(c.stock.answer) == 0 {
		return false
	}
	want := new(dns.Msg)
	for _, rr := range c.stock.msg.Answer {
		ptr := *rr.(*dns.PTR)
		ptr.Ptr = replaceSuffix(ptr.Ptr, c.reverse[0], c.origins[0])
		if c.visible(namespaceOf(ptr.Ptr)) {
			want.Answer = append(want.Answer, &ptr)
		}
	}
	return len(want.Answer) > 0 && c.ours.matches(c.expect(want))
}

func besideServer(c *comparison) bool {
	p, _ := c.place()
	n := len(p.labels)
	return c.fallsThrough(c.q.name) && n > 1 && p.labels[n-1] == externalServers && c.negative(c.stock, dns.RcodeNameError) && c.noName(c.ours)
}

func transferOutside(c *comparison) bool {
	isTransfer := c.q.qtype == dns.TypeAXFR || c.q.qtype == dns.TypeIXFR
	return isTransfer && !c.transfer && c.stock.problem == nil && c.ours.problem == nil &&
		c.ours.rcode == dns.RcodeRefused && !c.ours.flags.aa && len(c.ours.ns) == 0 && c.ours.empty()
}

// endpointWithUnderscore reports whether stock gives the same answer without the
// underscore.
func endpointWithUnderscore(c *comparison) bool {
	_, _, below, ok := c.serviceAsked()
	if !ok || !c.headless || len(below) != 1 || !strings.HasPrefix(below[0], "_") || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	there := c.ask(stockServer, c.q.about(strings.TrimPrefix(c.q.lower(), "_"), c.q.qtype))
	same := there.rcode == dns.RcodeSuccess && len(there.answer) == len(c.stock.answer)
	return (same || below[0] == "_") && (c.noName(c.ours) || c.negative(c.ours, dns.RcodeSuccess))
}

// namedTwice reports whether our SRV records have the weight of a Service's different addresses, and are
// stock's otherwise.
func namedTwice(c *comparison) bool {
	service, _ := c.publishedAsked()
	all := externalIPs(service)
	different := slices.Compact(slices.Sorted(slices.Values(all)))
	if len(different) == len(all) || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	m := c.stock.msg.Copy()
	for _, rr := range m.Answer {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			return false
		}
		srv.Weight = c.weight(srv.Weight)
	}
	return len(m.Answer) > 0 && c.ours.matches(c.expect(m))
}

// numberlessOutside reports whether the question is for a port without a number, of a
// Service that is shown by its endpoints.
func numberlessOutside(c *comparison) bool {
	name, namespace, _, _ := c.serviceAsked()
	return c.headless && !published(c.world.service(name, namespace)) && numberlessPort(c)
}

// namedOutside reports whether the question is about a headless Service with domain names
// as endpoints, which stock shows as aliases, or as the targets of SRV records.
func namedOutside(c *comparison) bool {
	name, namespace, _, ok := c.serviceAsked()
	names := c.world.namedEndpoints(name, namespace)
	if !ok || len(names) == 0 || !c.headless || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	if c.q.qtype != dns.TypeSRV {
		return namedAddresses(c)
	}
	want := new(dns.Msg)
	for _, rr := range c.stock.msg.Answer {
		if srv, ok := rr.(*dns.SRV); ok && !slices.Contains(names, srv.Target) {
			same := *srv
			same.Weight = c.weight(srv.Weight)
			want.Answer = append(want.Answer, &same)
		}
	}
	for _, rr := range c.stock.msg.Extra {
		if _, inZone := c.locate(rr.Header().Name); inZone {
			want.Extra = append(want.Extra, rr)
		}
	}
	if len(want.Answer) == 0 {
		return c.noName(c.ours) || c.negative(c.ours, dns.RcodeSuccess)
	}
	return len(want.Answer) < len(c.stock.answer) && c.ours.matches(c.expect(want))
}
