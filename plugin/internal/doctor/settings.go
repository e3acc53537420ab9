package doctor

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// linkLocal reports whether an address is one at which caches on the node serve by convention. They may have any other, which
// is known where their Pods are seen.
func linkLocal(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsLinkLocalUnicast()
}

// service checks that Pods ask the Service, over both protocols.
func service(_ context.Context, p *patient.Patient) Result {
	s, err := p.Service()
	if err != nil {
		return unseen("the Service of DNS", err)
	}
	for _, protocol := range []corev1.Protocol{corev1.ProtocolUDP, corev1.ProtocolTCP} {
		if !slices.ContainsFunc(s.Spec.Ports, func(port corev1.ServicePort) bool { return port.Port == 53 && port.Protocol == protocol }) {
			return red("the ports of deploy/kubernetes/service.yaml", "Service %s/%s has no port 53 for %s", s.Namespace, s.Name, protocol)
		}
	}
	if s.Spec.ClusterIP == corev1.ClusterIPNone {
		return red("a Service with a clusterIP, as in deploy/kubernetes/service.yaml", "Service %s/%s is headless, so it has no address that kubelet could give to Pods", s.Namespace, s.Name)
	}
	k, err := p.Kubelets()
	if err != nil {
		return unseen("the clusterDNS of kubelet", err)
	}
	onNodes, err := caches(p)
	if err != nil {
		onNodes = nil // the line resolver says why
	}
	var all []Result
	for _, settings := range k.Settings {
		all = append(all, serviceFor(s, settings, k.Source, slices.Concat(slices.Collect(maps.Values(onNodes))...)))
	}
	return worst(all...)
}

// serviceFor checks the settings of one kubelet, with the addresses of caches on nodes.
func serviceFor(s *corev1.Service, k patient.Settings, source string, caches []string) Result {
	own := strings.Join(s.Spec.ClusterIPs, ", ")
	if len(k.ClusterDNS) == 0 {
		return red("clusterDNS: ["+s.Spec.ClusterIP+"] in kubelet's configuration", "%s has no clusterDNS: Pods get the node's resolvers", source)
	}
	for _, address := range k.ClusterDNS {
		switch {
		case slices.Contains(s.Spec.ClusterIPs, address):
		case linkLocal(address), slices.Contains(caches, address):
			return green("%s gives Pods %s, a cache on the node (see the line resolver)", source, address)
		default:
			return red("clusterIP: "+address+" of the Service, or clusterDNS: ["+s.Spec.ClusterIP+"] in kubelet's configuration",
				"%s gives Pods %s, Service %s/%s is %s", source, address, s.Namespace, s.Name, own)
		}
	}
	return green("Service %s/%s is %s, which %s gives to Pods", s.Namespace, s.Name, own, source)
}

// zone checks that the server serves the cluster's domain.
func zone(_ context.Context, p *patient.Patient) Result {
	return each(p, func(c *patient.Corefile) Result { return zoneOf(p, c) })
}

func zoneOf(p *patient.Patient, c *patient.Corefile) Result {
	zones := c.Outline.Zones()
	if len(zones) == 0 {
		return red("kubernetes cluster.local in-addr.arpa ip6.arpa", "%s has neither kubernetes nor clusterdns", c.Path)
	}
	k, err := p.Kubelets()
	if err != nil {
		return unseen("the clusterDomain of kubelet", err)
	}
	served := withoutDots(zones)
	for _, settings := range k.Settings {
		domain := strings.TrimSuffix(dns.CanonicalName(settings.ClusterDomain), ".")
		if domain == "" {
			return red("clusterDomain: "+withoutDots(zones[:1])+" in kubelet's configuration", "%s has no clusterDomain: Pods have no search path in the cluster", k.Source)
		}
		if !slices.Contains(zones, domain+".") {
			return red(domain+" in the Corefile, behind kubernetes", "the Corefile serves %s, and %s gives Pods the domain %s", served, k.Source, domain)
		}
	}
	return green("the Corefile serves %s, the domain that %s gives to Pods", served, k.Source)
}

// withoutDots returns zones for a sentence.
func withoutDots(zones []string) string {
	var all []string
	for _, z := range zones {
		all = append(all, strings.TrimSuffix(z, "."))
	}
	return strings.Join(all, " ")
}
