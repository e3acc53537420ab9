package differential

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// numberless returns the names and protocols of the ports without a number in a Service's
// slices.
func (w *world) numberless(name, namespace string) map[[2]string]bool {
	ports := map[[2]string]bool{}
	for _, slice := range w.slicesOf(name, namespace) {
		for _, port := range slice.Ports {
			if valueOf(port.Port) == 0 {
				ports[[2]string{valueOf(port.Name), strings.ToLower(string(valueOf(port.Protocol)))}] = true
			}
		}
	}
	return ports
}

func numberlessPort(c *comparison) bool {
	name, namespace, below, ok := c.serviceAsked()
	ports := c.world.numberless(name, namespace)
	if !ok || len(ports) == 0 || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	if len(below) == 2 {
		port := [2]string{strings.TrimPrefix(below[0], "_"), strings.TrimPrefix(below[1], "_")}
		return ports[port] && c.noName(c.ours)
	}
	return c.q.qtype == dns.TypeSRV && c.numberedPorts()
}

// numberedPorts reports whether our SRV records are stock's without those of port 0, with
// the weight divided among them.
func (c *comparison) numberedPorts() bool {
	want := new(dns.Msg)
	for _, rr := range c.stock.msg.Answer {
		if srv, ok := rr.(*dns.SRV); ok && srv.Port != 0 {
			same := *srv
			same.Weight = c.weight(srv.Weight)
			want.Answer = append(want.Answer, &same)
		}
	}
	for _, rr := range c.stock.msg.Extra {
		if rr.Header().Rrtype != dns.TypeOPT && c.hasNumberedPort(rr) {
			want.Extra = append(want.Extra, rr)
		}
	}
	if len(want.Answer) == 0 {
		return c.negative(c.ours, dns.RcodeSuccess)
	}
	return c.ours.matches(c.expect(want))
}

// hasNumberedPort reports whether the address of a target belongs to an endpoint with such
// a port: endpoints with one name may be in several slices.
func (c *comparison) hasNumberedPort(address dns.RR) bool {
	name, namespace, _, _ := c.serviceAsked()
	label, _, _ := strings.Cut(address.Header().Name, ".")
	return slices.ContainsFunc(c.world.slicesOf(name, namespace), func(slice *endpointSlice) bool {
		numbered := slices.ContainsFunc(slice.Ports, func(port slicePort) bool { return valueOf(port.Port) != 0 })
		return numbered && slices.ContainsFunc(slice.Endpoints, func(e endpoint) bool {
			return ready(&e) && strings.EqualFold(c.label(&e), label) && slices.ContainsFunc(e.Addresses, func(text string) bool {
				return dns.IsDuplicate(address, addressRecord(address.Header().Name, netip.MustParseAddr(text), 0))
			})
		})
	})
}

// weight returns the weight of our records, if it is no less than stock's.
func (c *comparison) weight(least uint16) uint16 {
	for _, rr := range c.ours.msg.Answer {
		if srv, ok := rr.(*dns.SRV); ok && srv.Weight >= least {
			return srv.Weight
		}
	}
	return least
}

// dottedEndpoint is an endpoint that stock names after a Pod whose name is not a label.
type dottedEndpoint struct {
	slice       *endpointSlice
	address     netip.Addr
	stock, ours string // its names
}

func (c *scene) dottedEndpoints() []dottedEndpoint {
	var all []dottedEndpoint
	for _, slice := range c.world.slices {
		for _, e := range slice.Endpoints {
			if e.Hostname != nil || e.TargetRef == nil || !strings.Contains(e.TargetRef.Name, ".") {
				continue
			}
			for _, origin := range c.origins {
				service := "." + serviceName(slice) + "." + slice.Namespace + c.below() + origin
				address := netip.MustParseAddr(e.Addresses[0])
				all = append(all, dottedEndpoint{slice, address, e.TargetRef.Name + service, dashed(e.Addresses[0]) + service})
			}
		}
	}
	return all
}

// below returns the labels between a Namespace and an origin.
func (c *corefile) below() string {
	if c.external {
		return "."
	}
	return ".svc."
}

// dottedTarget reports whether the answers are the same once such endpoints are named after
// their addresses.
func dottedTarget(c *comparison) bool {
	if !c.podNames || c.stock.problem != nil {
		return false
	}
	for _, e := range c.dottedEndpoints() {
		switch c.q.lower() {
		case e.stock:
			return c.stock.header(dns.RcodeSuccess) && c.noName(c.ours)
		case e.ours:
			return c.noName(c.stock) && c.isEndpoint(e)
		}
	}
	fixed, ok := c.undotted()
	return ok && !fixed.differs()
}

// undotted returns the comparison with such endpoints named after their addresses in
// stock's answer too, where there may be another difference.
func (c *comparison) undotted() (*comparison, bool) {
	if !c.podNames || c.stock.problem != nil {
		return nil, false
	}
	names := map[string]string{}
	for _, e := range c.dottedEndpoints() {
		names[e.stock] = e.ours
	}
	m := c.stock.msg.Copy()
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		rename(rr, names)
	}
	fixed := *c
	fixed.stock = c.loosen(newReply(m))
	return &fixed, !fixed.stock.equal(c.stock)
}

// rename changes the names in a record, whose zone is spelled as in the question.
func rename(rr dns.RR, names map[string]string) {
	all := []*string{&rr.Header().Name}
	switch rr := rr.(type) {
	case *dns.SRV:
		all = append(all, &rr.Target)
	case *dns.PTR:
		all = append(all, &rr.Ptr)
	}
	for _, name := range all {
		if other, ok := names[strings.ToLower(*name)]; ok {
			*name = respelled(other, *name)
		}
	}
}

// respelled returns a name with the letter case of another, aligned at the end.
func respelled(name, as string) string {
	common := 0
	for common < min(len(name), len(as)) && strings.EqualFold(name[len(name)-common-1:], as[len(as)-common-1:]) {
		common++
	}
	return name[:len(name)-common] + as[len(as)-common:]
}

// isEndpoint reports whether our answer is that of an endpoint's name.
func (c *comparison) isEndpoint(e dottedEndpoint) bool {
	rr := addressRecord(c.q.name, e.address, c.ttl)
	switch c.q.qtype {
	case rr.Header().Rrtype, dns.TypeANY:
		return c.ours.matches(c.expect(&dns.Msg{Answer: []dns.RR{rr}}))
	case dns.TypeSRV:
		p, _ := c.place()
		above := len(e.ours) - len(p.origin)
		target := e.ours[:above] + c.q.name[above:]
		want := &dns.Msg{Extra: []dns.RR{addressRecord(target, e.address, c.ttl)}}
		for _, port := range e.slice.Ports {
			hdr := dns.RR_Header{Name: c.q.name, Rrtype: dns.TypeSRV, Class: dns.ClassINET, Ttl: c.ttl}
			weight := uint16(100 / len(e.slice.Ports))
			want.Answer = append(want.Answer, &dns.SRV{Hdr: hdr, Weight: weight, Port: uint16(*port.Port), Target: target})
		}
		return c.ours.matches(c.expect(want))
	}
	return c.negative(c.ours, dns.RcodeSuccess)
}
