// Package convert turns Kubernetes objects into the model of package cluster. It decides
// which fields of an object mean something in DNS, and what they mean.
//
// The rule not to break: a result depends on nothing but the object and the Settings.
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

// Settings say which optional fields are kept.
type Settings struct {
	PodNames      bool // the name of the Pod behind an endpoint
	PodLabels     bool // the name and labels of a Pod
	TopologyZones bool // the topology zone of an endpoint
}

// Converter turns API objects into the model. A nil result means that DNS shows nothing of
// the object. Equal values share memory, so a Converter is not safe for concurrent use.
type Converter struct {
	settings Settings

	pool      *pool
	ports     []cluster.Port // scratch, like endpoints
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
// The type ExternalName takes precedence: such a Service is an alias whatever else it has.
// Its target is empty if it is an IP address or not a host name, because a CNAME record
// cannot have it. Next, clusterIP None makes a headless Service. All others have the
// ClusterIPs of both families, and none before the API server allocates any.
//
// A load balancer has addresses or hostnames. If an ingress has both, only the address
// counts, as elsewhere in Kubernetes.
func (c *Converter) Service(s *corev1.Service) *cluster.Service {
	out := &cluster.Service{
		Key:         cluster.Key{Namespace: c.pool.text(s.Namespace), Name: s.Name},
		Ports:       c.servicePorts(s.Spec.Ports),
		ExternalIPs: parseAddrs(s.Spec.ExternalIPs),
	}
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		out.Kind, out.Target = cluster.ExternalName, Hostname(s.Spec.ExternalName)
	case Headless(&s.Spec):
		out.Kind = cluster.Headless
	default:
		out.ClusterIPs = clusterIPs(&s.Spec)
	}
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			out.ExternalIPs = appendAddr(out.ExternalIPs, ingress.IP)
		} else if host := Hostname(ingress.Hostname); host != "" {
			out.ExternalHosts = append(out.ExternalHosts, host)
		}
	}
	out.ExternalIPs, out.ExternalHosts = cluster.Distinct(out.ExternalIPs), cluster.Distinct(out.ExternalHosts)
	return out
}

// Headless reports whether a Service has no ClusterIP because its author wants none.
func Headless(spec *corev1.ServiceSpec) bool {
	return spec.ClusterIP == corev1.ClusterIPNone || slices.Contains(spec.ClusterIPs, corev1.ClusterIPNone)
}

// clusterIPs returns the ClusterIPs of a Service. An object written by hand may have only
// the older field with a single address.
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

// addPort appends a port to the scratch list. It drops a port without a number: no SRV
// record can name it, and addresses do not depend on ports.
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

// Hostname returns a fully qualified host name, or "" for an IP address or anything that is
// not a host name, such as a URL or a name with a port.
func Hostname(text string) string {
	if ParseAddr(strings.TrimSuffix(text, ".")).IsValid() || text == "" || text == "." || strings.ContainsAny(text, ":/* ") {
		return ""
	}
	name, err := dnsname.Parse(text)
	if err != nil {
		return ""
	}
	return name.String()
}

// parseAddrs parses addresses, and drops texts that are not addresses and repetitions.
func parseAddrs(texts []string) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range texts {
		addrs = appendAddr(addrs, text)
	}
	return cluster.Distinct(addrs)
}

func appendAddr(addrs []netip.Addr, text string) []netip.Addr {
	if a := ParseAddr(text); a.IsValid() {
		addrs = append(addrs, a)
	}
	return addrs
}

// ParseAddr parses an IP address. It returns the zero Addr for any other text. Kubernetes
// accepts numbers with leading zeros in old objects and reads them as decimal. An
// IPv4-mapped IPv6 address becomes an IPv4 address, because it can only be an A record.
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
