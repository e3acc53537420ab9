package differential

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// hostAt returns the hostname that the outside name of a Service is an alias of, or "". The
// Service's ports are below that name.
func (c *comparison) hostAt(service *corev1.Service, below []string) string {
	hosts := externalHosts(service)
	if len(hosts) == 0 || len(externalIPs(service)) > 0 || c.q.qtype == dns.TypeSRV {
		return ""
	}
	if len(below) > 0 && !hasPort(service, below) {
		return ""
	}
	return dns.Fqdn(strings.ToLower(hosts[0]))
}

func hasPort(service *corev1.Service, below []string) bool {
	return len(below) == 2 && slices.ContainsFunc(service.Spec.Ports, func(port servicePort) bool {
		return port.Name != "" && strings.EqualFold(port.Name, strings.TrimPrefix(below[0], "_")) &&
			strings.EqualFold(string(port.Protocol), strings.TrimPrefix(below[1], "_"))
	})
}

// unrepeated returns the comparison without the records that stock repeats for each port of
// a Service with a hostname, if all are repeated equally often.
func (c *comparison) unrepeated() (*comparison, bool) {
	service, below := c.publishedAsked()
	if !c.external || c.stock.problem != nil || !isAddress(c.q.qtype) || service == nil || len(below) > 0 {
		return nil, false
	}
	ports := len(service.Spec.Ports)
	if ports < 2 || len(externalHosts(service)) != 1 || len(externalIPs(service)) > 0 {
		return nil, false
	}
	m := c.stock.msg.Copy()
	m.Answer = dns.Dedup(m.Answer, nil)
	var all []string
	for _, text := range texts(m.Answer) {
		all = append(all, slices.Repeat([]string{text}, ports)...)
	}
	fixed := *c
	fixed.stock = c.loosen(newReply(m))
	return &fixed, len(all) > 0 && slices.Equal(all, c.stock.answer)
}

// severalHosts reports whether the question is about a Service with several hostnames, or
// with addresses too. Stock answers with all of its addresses and with the aliases beside
// them.
func severalHosts(c *comparison) bool {
	service, below := c.publishedAsked()
	hosts, addresses := externalHosts(service), externalIPs(service)
	if service == nil || !isAddress(c.q.qtype) || len(hosts) == 0 || len(hosts)+len(addresses) < 2 || !c.stock.header(dns.RcodeSuccess) {
		return false
	}
	if len(below) > 0 && !hasPort(service, below) || !c.hasAliases(hosts) {
		return false
	}
	if len(addresses) == 0 {
		w := c.walk()
		return w.last.problem == nil && c.ours.matches(c.wholeWay(w))
	}
	want := new(dns.Msg)
	for _, text := range addresses {
		rr := addressRecord(c.q.name, netip.MustParseAddr(text), c.ttl)
		if rr.Header().Rrtype == c.q.qtype {
			want.Answer = append(want.Answer, rr)
		}
	}
	if want.Answer = dns.Dedup(want.Answer, nil); len(want.Answer) == 0 {
		return c.negative(c.ours, dns.RcodeSuccess)
	}
	return c.ours.matches(c.expect(want))
}

// hasAliases reports whether stock has an alias to each of the hostnames.
func (c *comparison) hasAliases(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return !slices.ContainsFunc(c.stock.msg.Answer, func(rr dns.RR) bool {
			cname, ok := rr.(*dns.CNAME)
			return ok && strings.EqualFold(cname.Target, dns.Fqdn(host))
		})
	})
}
