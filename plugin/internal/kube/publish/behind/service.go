// Package behind knows the Services that stand behind published names: what such a Service is found by,
// which addresses lead to it inside the cluster, and at which ports it serves the listeners of a Gateway.
package behind

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// Service is what matters of a Service that names may lead to. It must not change after it was made.
type Service struct {
	Addrs []netip.Addr // ClusterIPs
	Marks []string     // what the Service is found by
	// Proxied says that the load balancer must be passed: it does more than to deliver packets (ipMode
	// Proxy), at all of its addresses.
	Proxied bool
	passed  []string // marks of the addresses at which it must be passed
	ports   []port
}

// Of returns what matters of a Service, with the marks that the Service itself bears.
func Of(svc *corev1.Service) *Service {
	s := new(Service)
	for _, ip := range append(slices.Clone(svc.Spec.ClusterIPs), svc.Spec.ClusterIP) {
		if a := convert.ParseAddr(ip); a.IsValid() && !slices.Contains(s.Addrs, a) {
			s.Addrs = append(s.Addrs, a)
		}
	}
	for i := range svc.Spec.Ports {
		s.ports = append(s.ports, portOf(&svc.Spec.Ports[i]))
	}
	if gateway := svc.Labels[slimpb.LabelGateway]; gateway != "" {
		s.Mark(Gateway(cluster.Key{Namespace: svc.Namespace, Name: gateway}))
	}
	for _, ip := range svc.Spec.ExternalIPs {
		s.markOutside(ip, "")
	}
	if svc.Spec.Type == corev1.ServiceTypeLoadBalancer {
		s.markBalanced(svc.Status.LoadBalancer.Ingress)
	}
	return s
}

// markBalanced adds the marks of the addresses of a load balancer.
func (s *Service) markBalanced(all []corev1.LoadBalancerIngress) {
	s.Proxied = len(all) > 0
	for _, lb := range all {
		before := len(s.Marks)
		s.markOutside(lb.IP, lb.Hostname)
		if ptr.Deref(lb.IPMode, corev1.LoadBalancerIPModeVIP) == corev1.LoadBalancerIPModeProxy {
			s.passed = append(s.passed, s.Marks[before:]...)
		} else {
			s.Proxied = false
		}
	}
}

// Passes reports whether what the Service is found for by a mark must pass its load balancer all the same.
func (s *Service) Passes(mark string) bool { return s.Proxied || slices.Contains(s.passed, mark) }

func (s *Service) markOutside(ip, host string) {
	if a := convert.ParseAddr(ip); a.IsValid() {
		s.Mark(Address(a))
	}
	if host = convert.Hostname(host); host != "" {
		s.Mark(Host(host))
	}
}

// Mark adds a mark.
func (s *Service) Mark(mark string) {
	if !slices.Contains(s.Marks, mark) {
		s.Marks = append(s.Marks, mark)
	}
}

// Address is the mark of a Service that has an address outside the cluster.
func Address(a netip.Addr) string { return "address " + a.String() }

// Host is the mark of a Service whose load balancer has a hostname.
func Host(host string) string { return "host " + strings.ToLower(host) }

// Gateway is the mark of a Service that is labelled as a Gateway's.
func Gateway(k cluster.Key) string { return "gateway " + k.Namespace + "/" + k.Name }

// Named is the mark of a Service that the configuration names, as namespace and name with a slash between.
func Named(name string) string { return "service " + name }

// Equal reports whether two are the same. Either may be nil.
func (s *Service) Equal(other *Service) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.Proxied == other.Proxied && slices.Equal(s.Addrs, other.Addrs) && slices.Equal(s.ports, other.ports) && slices.Equal(s.Marks, other.Marks) && slices.Equal(s.passed, other.passed)
}
