package differential

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

// serverMatchers are about name servers.
var serverMatchers = []matcher{
	{"D24", "NS of the zone and `ns.dns` under `bind`", boundServer},
	{"", "NS of a zone of `multicluster`", serversOfSet},
	{"", "NS of a reverse zone", serversInForwardZone},
	{"", "NS and `ns.dns` of a server that listens on all addresses", withoutLinkLocal},
}

// isNS reports whether the question is for the name servers of a zone, and returns the
// origin of their names.
func (c *comparison) isNS() (origin string, ok bool) {
	p, ok := c.place()
	if !ok || c.q.qtype != dns.TypeNS || len(p.labels) > 0 {
		return "", false
	}
	if p.reverse {
		return c.origins[0], true
	}
	return c.q.name, true
}

// boundServer reports whether our answer agrees with the objects: the names and addresses
// of the Services of the bound address.
func boundServer(c *comparison) bool {
	if !c.bound || !c.negative(c.stock, dns.RcodeSuccess) {
		return false
	}
	want := new(dns.Msg)
	if origin, ok := c.isNS(); ok {
		want.Extra = c.serverRecords(serverAddr.String(), origin)
		for _, rr := range want.Extra {
			hdr := dns.RR_Header{Name: c.q.name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: c.ttl}
			want.Answer = append(want.Answer, &dns.NS{Hdr: hdr, Ns: rr.Header().Name})
		}
	} else if c.isServer() && isAddress(c.q.qtype) {
		for _, rr := range c.serverRecords(serverAddr.String(), c.origins[0]) {
			if rr.Header().Name = c.q.name; rr.Header().Rrtype == c.q.qtype {
				want.Answer = append(want.Answer, rr)
			}
		}
	}
	want.Answer, want.Extra = dns.Dedup(want.Answer, nil), dns.Dedup(want.Extra, nil)
	return len(want.Answer) > 0 && c.ours.matches(c.expect(want))
}

// isServer reports whether the question is about ns.dns.
func (c *comparison) isServer() bool {
	p, ok := c.place()
	return ok && (p.is("ns", "dns") || c.external && p.is("ns1", "dns"))
}

// serverRecords returns the addresses of the Services that have an endpoint at the address;
// for headless Services, those of the slice's endpoints.
func (c *comparison) serverRecords(address, origin string) []dns.RR {
	var rrs []dns.RR
	for _, slice := range c.world.slices {
		service := c.world.service(serviceName(slice), slice.Namespace)
		if service == nil || !slices.Contains(readyAddrs(slice), address) {
			continue
		}
		name := service.Name + "." + service.Namespace + ".svc." + origin
		for _, ip := range clusterIPs(service) {
			rrs = append(rrs, addressRecord(name, netip.MustParseAddr(ip), c.ttl))
		}
		for i := range slice.Endpoints {
			if e := &slice.Endpoints[i]; headless(service) && ready(e) {
				rrs = append(rrs, addressRecord(c.label(e)+"."+name, netip.MustParseAddr(e.Addresses[0]), c.ttl))
			}
		}
	}
	return rrs
}

func serversInForwardZone(c *comparison) bool {
	p, ok := c.place()
	_, isNS := c.isNS()
	if !ok || !isNS || !p.reverse || !c.stock.header(dns.RcodeSuccess) || len(c.stock.answer) == 0 {
		return false
	}
	want := new(dns.Msg)
	for _, rr := range c.stock.msg.Answer {
		ns := *rr.(*dns.NS)
		ns.Ns = replaceSuffix(ns.Ns, c.q.name, c.origins[0])
		want.Answer = append(want.Answer, &ns)
	}
	for _, rr := range reachable(c.stock.msg.Extra) {
		rr = dns.Copy(rr)
		rr.Header().Name = replaceSuffix(rr.Header().Name, c.q.name, c.origins[0])
		want.Extra = append(want.Extra, rr)
	}
	return c.ours.matches(c.expect(want))
}

func replaceSuffix(name, suffix, by string) string {
	if rest, ok := strings.CutSuffix(name, suffix); ok {
		return rest + by
	}
	return name
}

func withoutLinkLocal(c *comparison) bool {
	_, isNS := c.isNS()
	if !isNS && !c.isServer() || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	want := &dns.Msg{Answer: reachable(c.stock.msg.Answer), Extra: reachable(c.stock.msg.Extra)}
	fewer := len(want.Answer)+len(want.Extra) < len(c.stock.answer)+len(c.stock.extra)
	return fewer && c.ours.matches(c.expect(want))
}

// reachable returns the records without the link-local addresses, and without EDNS.
func reachable(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		six, ok := rr.(*dns.AAAA)
		return rr.Header().Rrtype == dns.TypeOPT || ok && six.AAAA.IsLinkLocalUnicast()
	})
}

// pointsToNoService reports whether targets in stock's answer are in Services that do not
// exist; others may be in Namespaces that do not.
func pointsToNoService(c *comparison) bool {
	return c.stock.problem != nil && c.fewerPointers(c.withoutService) ||
		c.points(c.withoutService) && c.fewerPointers(func(target string) bool { return c.withoutService(target) || c.withoutNamespace(target) })
}

func pointsToNoNamespace(c *comparison) bool { return c.fewerPointers(c.withoutNamespace) }

// points reports whether stock's answer has such a target.
func (c *comparison) points(wrong func(target string) bool) bool {
	return c.stock.problem == nil && slices.ContainsFunc(c.stock.msg.Answer, func(rr dns.RR) bool {
		ptr, ok := rr.(*dns.PTR)
		return ok && wrong(ptr.Ptr)
	})
}

// fewerPointers reports whether our answer is stock's without the names for which wrong
// reports true. If such names cannot be packed, stock never answers.
func (c *comparison) fewerPointers(wrong func(target string) bool) bool {
	p, ok := c.place()
	if !ok || !p.reverse || c.q.qtype != dns.TypePTR {
		return false
	}
	want := new(dns.Msg)
	switch {
	case c.stock.problem == nil:
		want.Answer = slices.DeleteFunc(slices.Clone(c.stock.msg.Answer), func(rr dns.RR) bool {
			ptr, ok := rr.(*dns.PTR)
			return ok && wrong(ptr.Ptr)
		})
		if len(want.Answer) == len(c.stock.answer) {
			return false
		}
	case wrong(""):
		want.Answer = c.endpointPointers()
	default:
		return false
	}
	if len(want.Answer) == 0 {
		return c.noName(c.ours)
	}
	return c.ours.matches(c.expect(want))
}

// endpointPointers returns the PTR records of the endpoints that have the address.
func (c *comparison) endpointPointers() []dns.RR {
	targets := map[string]bool{}
	for _, slice := range c.world.slices {
		service := c.world.service(serviceName(slice), slice.Namespace)
		if service == nil || alias(service) || !c.visible(slice.Namespace) {
			continue
		}
		for _, e := range slice.Endpoints {
			if ready(&e) && slices.ContainsFunc(e.Addresses, c.isReverseOf) {
				targets[c.label(&e)+"."+service.Name+"."+service.Namespace+".svc."+c.origins[0]] = true
			}
		}
	}
	var rrs []dns.RR
	for target := range targets {
		hdr := dns.RR_Header{Name: c.q.name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: c.ttl}
		rrs = append(rrs, &dns.PTR{Hdr: hdr, Ptr: target})
	}
	return rrs
}

// label returns the label of an endpoint. With several addresses, the first counts.
func (c *corefile) label(e *endpoint) string {
	switch {
	case e.Hostname != nil:
		return *e.Hostname
	case c.podNames && e.TargetRef != nil && !strings.Contains(e.TargetRef.Name, ".") && len(e.TargetRef.Name) < 64:
		return e.TargetRef.Name
	}
	return dashed(e.Addresses[0])
}

// withoutService reports whether the target's Service does not exist. Without a target, it
// reports whether the address is in a slice that names no Service.
func (c *comparison) withoutService(target string) bool {
	if target == "" {
		return slices.ContainsFunc(c.world.slices, func(slice *endpointSlice) bool {
			return serviceName(slice) == "" && slices.ContainsFunc(readyAddrs(slice), c.isReverseOf)
		})
	}
	p, _ := c.locate(target)
	n := len(p.labels)
	return n >= 3 && (c.world.service(p.labels[n-3], p.labels[n-2]) == nil || alias(c.world.service(p.labels[n-3], p.labels[n-2])))
}

func (c *comparison) withoutNamespace(target string) bool {
	p, _ := c.locate(target)
	n := len(p.labels)
	return n >= 3 && !c.world.exists(p.labels[n-2])
}

func (c *comparison) isReverseOf(address string) bool {
	return slices.Contains(reverse.Names(address), c.q.lower())
}
