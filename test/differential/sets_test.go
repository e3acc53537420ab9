package differential

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// setMatchers are about the zones of multicluster.
var setMatchers = []matcher{
	{"D6", "`<cluster>.<service>.<ns>.svc.<zone>`", clusterOfService},
	{"", "ServiceImport of type ClusterSetIP without ports", portlessImport},
}

// inSet reports whether the question is about a zone of a cluster set.
func (c *comparison) inSet() bool { return c.scene != c.main && !c.external }

// serversOfSet reports whether the answer has stock's addresses, for a name that exists.
func serversOfSet(c *comparison) bool {
	_, isNS := c.isNS()
	if !isNS || !c.inSet() || !c.stock.header(dns.RcodeSuccess) || len(c.stock.answer) == 0 {
		return false
	}
	server := "ns.dns." + c.q.name
	ns := *c.stock.msg.Answer[0].(*dns.NS)
	ns.Ns = server
	want := &dns.Msg{Answer: []dns.RR{&ns}, Extra: reachable(c.stock.msg.Extra)}
	for i, rr := range want.Extra {
		want.Extra[i] = dns.Copy(rr)
		want.Extra[i].Header().Name = server
	}
	want.Extra = dns.Dedup(want.Extra, nil)
	return c.ours.matches(c.expect(want))
}

// clusterOfService reports whether the name is the one above the endpoints of a cluster.
func clusterOfService(c *comparison) bool {
	name, namespace, below, ok := c.serviceAsked()
	if !ok || !c.inSet() || len(below) != 1 || c.world.service(name, namespace) == nil || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	return slices.ContainsFunc(c.world.slicesOf(name, namespace), func(slice *endpointSlice) bool {
		return slice.Labels[clusterSetCluster] == below[0] && len(readyAddrs(slice)) > 0
	})
}

// portlessImport reports whether our answer has the addresses of the import.
func portlessImport(c *comparison) bool {
	name, namespace, below, ok := c.serviceAsked()
	service := c.world.service(name, namespace)
	if !ok || !c.inSet() || len(below) > 0 || service == nil || headless(service) || len(service.Spec.Ports) > 0 || !c.noName(c.stock) {
		return false
	}
	want := new(dns.Msg)
	for _, rr := range c.addressesOf(service.Spec.ClusterIPs) {
		if c.q.qtype == rr.Header().Rrtype {
			want.Answer = append(want.Answer, rr)
		}
	}
	if c.q.qtype == dns.TypeANY {
		want.Answer = c.addressesOf(service.Spec.ClusterIPs[:1])
	}
	if len(want.Answer) == 0 {
		return c.negative(c.ours, dns.RcodeSuccess)
	}
	return c.ours.matches(c.expect(want))
}

// addressesOf returns address records of the question's name.
func (c *comparison) addressesOf(addresses []string) []dns.RR {
	var rrs []dns.RR
	for _, address := range addresses {
		rrs = append(rrs, addressRecord(c.q.name, netip.MustParseAddr(address), c.ttl))
	}
	return rrs
}
