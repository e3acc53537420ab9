package oracle

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/refcluster"
)

var firstOutside = netip.MustParseAddr("198.18.0.1")

func (o *Oracle) addApex(origin string) {
	server := "ns.dns." + origin
	o.add(origin, dns.TypeSOA, &dns.SOA{
		Ns: server, Mbox: "hostmaster." + origin, Serial: 1, Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: ttl,
	})
	o.add(origin, dns.TypeNS, &dns.NS{Ns: server})
	if origin != Reverse {
		o.add(server, dns.TypeA, &dns.A{A: netip.MustParseAddr("10.96.0.10").AsSlice()})
	}
}

func (o *Oracle) addVirtual(service int) {
	address := netip.MustParseAddr(o.shape.ClusterIP(service))
	name := o.ServiceName(service)
	o.add(name, dns.TypeA, &dns.A{A: address.AsSlice()})
	o.add(reverseName(address), dns.TypePTR, &dns.PTR{Ptr: name})
	for _, port := range o.shape.ServicePorts(service) {
		o.add(portName(port.Name, name), dns.TypeSRV, &dns.SRV{Weight: 100, Port: uint16(port.Port), Target: name})
	}
}

func (o *Oracle) addHeadless(service int) {
	from, to := o.shape.EndpointRange(service)
	name := o.ServiceName(service)
	for i := from; i < to; i++ {
		address := refcluster.EndpointAddress(i)
		endpoint := o.shape.PodName(i) + "." + name
		o.add(name, dns.TypeA, &dns.A{A: address.AsSlice()})
		o.add(endpoint, dns.TypeA, &dns.A{A: address.AsSlice()})
		o.add(reverseName(address), dns.TypePTR, &dns.PTR{Ptr: endpoint})
		for _, port := range o.shape.ServicePorts(service) {
			o.add(portName(port.Name, name), dns.TypeSRV, &dns.SRV{
				Weight: uint16(max(1, 100/(to-from))), Port: uint16(port.TargetPort.IntVal), Target: endpoint,
			})
		}
	}
}

func (o *Oracle) add(owner string, rrtype uint16, rr dns.RR) {
	*rr.Header() = dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
	if len(o.records[owner]) == 0 {
		o.owners = append(o.owners, owner)
	}
	o.records[owner] = append(o.records[owner], rr)
	for name := owner; !o.exists[name]; _, name, _ = strings.Cut(name, ".") {
		o.exists[name] = true
		if name == Domain || name == Reverse || name == Outside {
			return
		}
	}
}

// ServiceName returns the name of a Service.
func (o *Oracle) ServiceName(service int) string {
	return fmt.Sprintf("%s.%s.svc.%s", o.shape.ServiceName(service), o.shape.NamespaceOfService(service), Domain)
}

// PodName returns the name of a Pod by its IPv4 address.
func PodName(address, namespace string) string {
	return fmt.Sprintf("%s.%s.pod.%s", strings.ReplaceAll(address, ".", "-"), namespace, Domain)
}

func portName(port, service string) string { return fmt.Sprintf("_%s._tcp.%s", port, service) }

func outsideName(i int) string { return fmt.Sprintf("host-%03d.%s", i, Outside) }

func reverseName(address netip.Addr) string {
	name, err := dns.ReverseAddr(address.String())
	if err != nil {
		panic(err) // it is an address
	}
	return name
}
