// Package convert turns Kubernetes objects into the model of a cluster.
//
// Its functions are pure: what they return depends on the object and the Settings alone.
// It decides which fields of an object mean something in DNS, and what.
package convert

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	netutils "k8s.io/utils/net"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Settings say what is kept of an object beyond its addresses, ports and names.
type Settings struct {
	PodNames      bool // of an endpoint, the name of its Pod
	PodLabels     bool // of a Pod, its name and labels
	TopologyZones bool // of an endpoint, its topology zone
}

// Converter turns API objects into the model. A nil result means that DNS shows nothing of
// the object. Equal values share memory, so a Converter must not be used concurrently.
type Converter struct {
	settings Settings

	pool      *pool
	ports     []cluster.Port // scratch, as is endpoints
	endpoints []cluster.Endpoint
}

// New makes a Converter.
func New(s Settings) *Converter { return &Converter{settings: s, pool: newPool()} }

// KeyOf returns the namespace and name of an object.
func KeyOf(o metav1.Object) cluster.Key {
	return cluster.Key{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// Service converts a Service.
//
// The type ExternalName comes first: such a Service is an alias whatever else it
// says. Its target is empty if it is an IP literal or no domain name, since a
// CNAME cannot say that. Next, clusterIP None is a headless Service. All others
// have the ClusterIPs of both families, and none as long as the API server has
// not given them any.
//
// A load balancer has addresses or hostnames; of an ingress that has both only
// the address counts, as everywhere in Kubernetes.
func (c *Converter) Service(s *corev1.Service) *cluster.Service {
	out := &cluster.Service{
		Key:         cluster.Key{Namespace: c.pool.text(s.Namespace), Name: s.Name},
		Ports:       c.servicePorts(s.Spec.Ports),
		ExternalIPs: parseAddrs(s.Spec.ExternalIPs),
	}
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		out.Kind, out.Target = cluster.ExternalName, hostname(s.Spec.ExternalName)
	case Headless(&s.Spec):
		out.Kind = cluster.Headless
	default:
		out.ClusterIPs = clusterIPs(&s.Spec)
	}
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			out.ExternalIPs = append(out.ExternalIPs, parseAddrs([]string{ingress.IP})...)
		} else if host := hostname(ingress.Hostname); host != "" {
			out.ExternalHosts = append(out.ExternalHosts, host)
		}
	}
	return out
}

// Headless reports whether a Service has no ClusterIP because its author wants none.
func Headless(spec *corev1.ServiceSpec) bool {
	return spec.ClusterIP == corev1.ClusterIPNone || slices.Contains(spec.ClusterIPs, corev1.ClusterIPNone)
}

// clusterIPs are the addresses of a Service. The list is newer than the single
// address, which is all that an object written by hand may have.
func clusterIPs(spec *corev1.ServiceSpec) []netip.Addr {
	if len(spec.ClusterIPs) > 0 {
		return parseAddrs(spec.ClusterIPs)
	}
	return parseAddrs([]string{spec.ClusterIP})
}

func (c *Converter) servicePorts(ports []corev1.ServicePort) []cluster.Port {
	c.ports = c.ports[:0]
	for i := range ports {
		c.addPort(ports[i].Name, string(ports[i].Protocol), ports[i].Port)
	}
	return c.pool.ports(c.ports)
}

// addPort adds a port to the scratch list. One without a number is left out: no
// SRV record can name it, and addresses do not depend on ports.
func (c *Converter) addPort(name, protocol string, number int32) {
	if number <= 0 || number > 65535 {
		return
	}
	if protocol == "" {
		protocol = "tcp"
	}
	c.ports = append(c.ports, cluster.Port{
		Name:     strings.ToLower(name),
		Protocol: strings.ToLower(protocol),
		Number:   uint16(number),
	})
}

// hostname is a name in fully qualified form, or empty if it is an IP literal or
// no host name, such as a URL or a name with a port.
func hostname(text string) string {
	if ParseAddr(strings.TrimSuffix(text, ".")).IsValid() || text == "" || text == "." || strings.ContainsAny(text, ":/* ") {
		return ""
	}
	name, err := dnsname.Parse(text)
	if err != nil {
		return ""
	}
	return name.String()
}

// parseAddrs leaves out what is no address.
func parseAddrs(texts []string) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range texts {
		if a := ParseAddr(text); a.IsValid() {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// ParseAddr returns the zero Addr if text is no address. Kubernetes takes numbers with
// leading zeros in old objects, and reads them as decimal. An IPv4 address in IPv6
// clothes is an IPv4 address, because it can only be an A record.
func ParseAddr(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		a, _ = netip.AddrFromSlice(netutils.ParseIPSloppy(text))
	}
	if a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}
