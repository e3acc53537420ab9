package zone

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// outer is a node of a Service as it is seen from outside: addresses, and the
// hostnames that load balancers have in place of an address.
type outer struct {
	hosts
	names []string
	ports []cluster.Port // of the hostnames
}

// outer is no node at all if nothing is there.
func (v *ExternalView) outer(svc *cluster.ServiceNode, list []host, ports []cluster.Port) node {
	x := outer{hosts: v.Cluster.hosts(svc, list), names: svc.Service.ExternalHosts, ports: ports}
	if len(x.list)+len(x.names) == 0 {
		return nil
	}
	return x
}

func (x outer) rrset(b *builder, qtype uint16) {
	switch qtype {
	case dns.TypeA, dns.TypeAAAA:
		x.addresses(b, qtype)
	case dns.TypeSRV:
		b.srv(x.targets(b.origin))
	}
}

func (x outer) addrs() []netip.Addr {
	addrs := make([]netip.Addr, len(x.list))
	for i := range x.list {
		addrs[i] = x.list[i].addr
	}
	return addrs
}

// aliasOf is the hostname that a node is an alias of. An alias is alone at its
// name (RFC 2181 10.1): it gives way to addresses, and of several hostnames the
// first counts. SRV records name all of them, so that type has them in place of
// the alias, as from stock CoreDNS.
func aliasOf(found node, qtype uint16) (*dnsname.Name, bool) {
	x, ok := found.(outer)
	if !ok || len(x.list) > 0 || len(x.names) == 0 || qtype == dns.TypeSRV {
		return nil, false
	}
	link, ok := aliasTo(x.names[0]).(alias)
	return link.target, ok
}

// targets are the Service itself or its endpoints, then the hostnames.
func (x outer) targets(origin string) []srvTarget {
	list := make([]srvTarget, 0, len(x.list)+len(x.names))
	for _, h := range x.list {
		name := outerName(x.service, origin)
		if h.isEndpoint {
			name = h.label(x.podNames) + "." + name
		}
		list = append(list, srvTarget{name, h.addr, h.ports})
	}
	for _, name := range x.names {
		list = append(list, srvTarget{name: name, ports: x.ports})
	}
	return list
}

// outerName is the fully qualified name of a Service in an external origin.
func outerName(n *cluster.ServiceNode, origin string) string {
	return dnsname.Below(origin, n.Key.Name+"."+n.Key.Namespace)
}
