package differential

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// podMatchers are about the names of Pods.
var podMatchers = []matcher{
	{"", "a name below a Pod's", belowPod},
	{"", "SRV of a Pod's name", podSRV},
	{"", "`pods verified`: an IPv6 address in another spelling", respelledPod},
	{"", "`pods verified`: a Pod that was being deleted when the server started", terminatingPod},
}

// podName returns the labels of a Pod's name, and those before them.
func (c *comparison) podName() (label, namespace string, below []string, ok bool) {
	p, ok := c.place()
	n := len(p.labels)
	if !ok || p.reverse || n < 3 || p.labels[n-1] != "pod" {
		return "", "", nil, false
	}
	return p.labels[n-3], p.labels[n-2], p.labels[:n-3], c.visible(p.labels[n-2])
}

// belowPod reports whether stock has the Pod's own name.
func belowPod(c *comparison) bool {
	_, _, below, ok := c.podName()
	if !ok || len(below) == 0 || len(below) > 2 || !c.stock.header(dns.RcodeSuccess) || !c.noName(c.ours) {
		return false
	}
	own := c.q.name
	for range below {
		own = parent(own)
	}
	return c.ask(stockServer, c.q.about(own, dns.TypeA)).header(dns.RcodeSuccess)
}

func podSRV(c *comparison) bool {
	_, _, below, ok := c.podName()
	if !ok || len(below) > 0 || len(c.stock.answer) != 1 || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	srv, ok := c.stock.msg.Answer[0].(*dns.SRV)
	return ok && srv.Port == 0 && strings.EqualFold(srv.Target, c.q.name)
}

// respelledPod reports whether the label is the address of a Pod in an unusual spelling, of
// the label or of the Pod's status.
func respelledPod(c *comparison) bool {
	address, pods := c.podsAsked()
	if !address.Is6() || !c.noName(c.stock) || !c.hasAddress(address) {
		return false
	}
	label, _, _, _ := c.podName()
	usual := label == strings.ReplaceAll(address.String(), ":", "-")
	return !usual || slices.ContainsFunc(pods, func(p *corev1.Pod) bool {
		return slices.ContainsFunc(p.Status.PodIPs, func(ip corev1.PodIP) bool {
			return ip.IP != address.String() && netip.MustParseAddr(ip.IP) == address
		})
	})
}

func terminatingPod(c *comparison) bool {
	address, pods := c.podsAsked()
	if len(pods) == 0 || !c.noName(c.stock) || !c.hasAddress(address) {
		return false
	}
	return !slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp == nil })
}

// podsAsked returns the Pods that have not ended and have the address in the name.
func (c *comparison) podsAsked() (address netip.Addr, pods []*corev1.Pod) {
	label, namespace, below, ok := c.podName()
	if !ok || len(below) > 0 {
		return netip.Addr{}, nil
	}
	address = undashed(label)
	for _, p := range c.world.pods {
		over := slices.Contains([]corev1.PodPhase{corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown}, p.Status.Phase)
		has := slices.ContainsFunc(p.Status.PodIPs, func(ip corev1.PodIP) bool { return netip.MustParseAddr(ip.IP) == address })
		if p.Namespace == namespace && has && !over {
			pods = append(pods, p)
		}
	}
	return address, pods
}

// undashed returns the address that a label spells.
func undashed(label string) netip.Addr {
	for _, by := range []string{".", ":"} {
		if a, err := netip.ParseAddr(strings.ReplaceAll(label, "-", by)); err == nil {
			return a
		}
	}
	return netip.Addr{}
}

// hasAddress reports whether our answer is that the name has this address alone.
func (c *comparison) hasAddress(address netip.Addr) bool {
	rr := addressRecord(c.q.name, address, c.ttl)
	if c.q.qtype != rr.Header().Rrtype && c.q.qtype != dns.TypeANY {
		return c.negative(c.ours, dns.RcodeSuccess)
	}
	return c.ours.matches(c.expect(&dns.Msg{Answer: []dns.RR{rr}}))
}

func addressRecord(owner string, address netip.Addr, ttl uint32) dns.RR {
	hdr := dns.RR_Header{Name: owner, Class: dns.ClassINET, Ttl: ttl}
	if address.Is4() {
		hdr.Rrtype = dns.TypeA
		return &dns.A{Hdr: hdr, A: address.AsSlice()}
	}
	hdr.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: hdr, AAAA: address.AsSlice()}
}

// endpointMatchers are about unusual names.
var endpointMatchers = []matcher{
	{"", "a port of an EndpointSlice without a number, or with the number 0", numberlessPort},
	{"D15", "`endpoint_pod_names`: an endpoint that stands for a Pod whose name has dots", dottedTarget},
	{"", "PTR of a name up to three labels below an address's in `ip6.arpa`", belowAddress},
	{"", "ExternalName that is an IPv4 address with a dot at its end", literalWithDot},
	{"", "ExternalName with a label of more than 63 characters", longTarget},
	{"", "`_zone` names of a headless Service without any ready endpoint", zonalName},
	{"D7", "TXT of the zone, `svc`, `pod` and their Namespaces", textOfNames},
}

// belowAddress reports whether stock gives the same answer for the address itself: it looks
// at no more than 32 labels.
func belowAddress(c *comparison) bool {
	p, ok := c.place()
	labels := dns.CountLabel(c.q.name)
	const whole = 34 // including ip6 and arpa
	if !ok || !p.reverse || c.q.qtype != dns.TypePTR || labels <= whole || labels > whole+3 || !c.noName(c.ours) {
		return false
	}
	name := c.q.name
	for range labels - whole {
		name = parent(name)
	}
	there := c.ask(stockServer, c.q.about(name, dns.TypePTR))
	if c.stock.problem != nil {
		return there.problem != nil // a name that cannot be packed
	}
	return len(c.stock.answer) > 0 && c.stock.header(dns.RcodeSuccess) && len(there.answer) == len(c.stock.answer)
}

// aliasAsked returns the ExternalName Service in the question, or nil.
func (c *comparison) aliasAsked() *corev1.Service {
	name, namespace, below, ok := c.serviceAsked()
	if service := c.world.service(name, namespace); ok && len(below) == 0 && alias(service) {
		return service
	}
	return nil
}

// longTarget reports whether the question is for an alias of a name that is too long: stock
// looks it up in vain, or cannot send its answer.
func longTarget(c *comparison) bool {
	service := c.aliasAsked()
	if service == nil || !overlong(service.Spec.ExternalName) || !c.noName(c.ours) {
		return false
	}
	if c.stock.problem != nil {
		return isAddress(c.q.qtype) || c.q.qtype == dns.TypeCNAME
	}
	return c.negative(c.stock, dns.RcodeSuccess)
}

func literalWithDot(c *comparison) bool {
	service := c.aliasAsked()
	if service == nil {
		return false
	}
	literal, dot := strings.CutSuffix(service.Spec.ExternalName, ".")
	_, err := netip.ParseAddr(literal)
	return dot && err == nil && c.stock.header(dns.RcodeSuccess) && c.noName(c.ours)
}

// textOfNames reports whether the question is for a name with others below it.
func textOfNames(c *comparison) bool {
	p, ok := c.place()
	n := len(p.labels)
	if !ok || n > 2 || c.q.qtype != dns.TypeTXT || !c.noName(c.stock) || !c.negative(c.ours, dns.RcodeSuccess) {
		return false
	}
	return n == 0 || !p.reverse && (p.labels[n-1] == "svc" || p.labels[n-1] == "pod")
}

// zonalName reports whether the name is that of a topology zone, or one above it.
func zonalName(c *comparison) bool {
	name, namespace, below, ok := c.serviceAsked()
	n := len(below)
	service := c.world.service(name, namespace)
	if !ok || n == 0 || below[n-1] != "_zone" || service == nil || !headless(service) {
		return false
	}
	if n > 1 && below[n-2] != "pin" && below[n-2] != "prefer" {
		return false
	}
	if c.world.hasReady(name, namespace) {
		return n <= 2 && c.noName(c.stock) && c.negative(c.ours, dns.RcodeSuccess)
	}
	return n > 2 && c.negative(c.stock, dns.RcodeSuccess) && c.noName(c.ours)
}

func (w *world) hasReady(name, namespace string) bool {
	return slices.ContainsFunc(w.slicesOf(name, namespace), func(s *endpointSlice) bool { return len(readyAddrs(s)) > 0 })
}
