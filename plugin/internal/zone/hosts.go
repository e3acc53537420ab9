package zone

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// host is an address with the ports that are open there. If it is not that of an
// endpoint, it stands for the Service itself.
type host struct {
	addr       netip.Addr
	isEndpoint bool
	identity   *cluster.Identity // of an endpoint
	ports      []cluster.Port
	cluster    string // of an endpoint that was imported
}

// host is an endpoint of a slice with some ports of the slice.
func sliceHost(s *cluster.Slice, e cluster.Endpoint, ports []cluster.Port) host {
	return host{e.Addr, true, e.Identity, ports, s.Cluster}
}

// label is the DNS label of an endpoint.
func (x host) label(podNames bool) string {
	e := cluster.Endpoint{Addr: x.addr, Identity: x.identity}
	return e.Label(podNames)
}

// hosts is a node with addresses: a Service, an endpoint, a port, a Pod.
type hosts struct {
	service  *cluster.ServiceNode // nil for a Pod
	podNames bool
	list     []host
}

func (v *View) hosts(svc *cluster.ServiceNode, list []host) hosts {
	return hosts{svc, v.PodNames, list}
}

func (h hosts) rrset(b *builder, qtype uint16) {
	switch qtype {
	case dns.TypeA, dns.TypeAAAA:
		h.addresses(b, qtype)
	case dns.TypeSRV:
		b.srv(h.targets(b.origin))
	}
}

// addresses adds every address of the family once.
func (h hosts) addresses(b *builder, qtype uint16) {
	seen := make(map[netip.Addr]struct{}, len(h.list))
	for _, x := range h.list {
		if _, dup := seen[x.addr]; dup || addressType(x.addr) != qtype {
			continue
		}
		seen[x.addr] = struct{}{}
		b.add(b.address(b.owner, x.addr))
	}
}

// targets are the hosts as SRV records lead to them.
func (h hosts) targets(origin string) []srvTarget {
	list := make([]srvTarget, len(h.list))
	for i, x := range h.list {
		list[i] = srvTarget{addr: x.addr, ports: x.ports}
		if len(x.ports) > 0 { // and so it is no Pod, which has no Service to be named after
			list[i].name = h.target(x, origin)
		}
	}
	return list
}

// target is the name of a host: the Service's own, or the endpoint's below it.
func (h hosts) target(x host, origin string) string {
	name := serviceName(h.service, origin)
	if !x.isEndpoint {
		return name
	}
	if x.cluster != "" {
		name = strings.ToLower(x.cluster) + "." + name
	}
	return x.label(h.podNames) + "." + name
}

// maxText is the length up to which the presentation form of a name is certain
// to fit into 255 octets (RFC 1035 2.3.4).
const maxText = 254

// unsendable says whether a name is too long for a message. Four labels of full
// length are, and an endpoint in a cluster of the set may have them. One record
// like that would cost the whole answer, and its target cannot be asked for.
func unsendable(name string) bool {
	if len(name) <= maxText {
		return false
	}
	_, err := dnsname.Parse(name)
	return err != nil
}

// hostsAt are addresses that stand for a Service itself, with all of the ports.
func hostsAt(addrs []netip.Addr, ports []cluster.Port) []host {
	list := make([]host, len(addrs))
	for i, a := range addrs {
		list[i] = host{addr: a, ports: ports}
	}
	return list
}
