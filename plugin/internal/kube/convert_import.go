package kube

import (
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// serviceImport converts a ServiceImport. The addresses of a headless one are
// those of its slices, whatever else it says.
//
// It is a custom resource, so the API server checks less than of a Service: one
// whose name is no DNS label has no name in DNS.
func (c *converter) serviceImport(i *serviceImport) *zone.Service {
	if label(i.Name) != i.Name {
		return nil
	}
	out := &zone.Service{
		Key:   zone.Key{Namespace: c.pool.text(i.Namespace), Name: i.Name},
		Ports: c.importPorts(i.Spec.Ports),
	}
	if i.Spec.Type == "Headless" {
		out.Kind = zone.Headless
	} else {
		out.ClusterIPs = parseAddrs(i.Spec.IPs)
	}
	return out
}

// importPorts leaves out what no SRV record can name. A port whose name is no
// DNS label counts as unnamed.
func (c *converter) importPorts(ports []importPort) []zone.Port {
	c.ports = c.ports[:0]
	for _, p := range ports {
		if slices.Contains([]string{"", "tcp", "udp", "sctp"}, strings.ToLower(p.Protocol)) {
			c.addPort(label(p.Name), p.Protocol, p.Port)
		}
	}
	return c.pool.ports(c.ports)
}

// importedSlice converts an EndpointSlice as a part of a ServiceImport. If it is
// labelled for a Service of this cluster too, it is a part of both.
func (c *converter) importedSlice(s *discoveryv1.EndpointSlice) *zone.Slice {
	return c.sliceOf(s, s.Labels[labelImport], label(s.Labels[labelCluster]))
}

// label is a text as a DNS label, or empty if it is none.
func label(text string) string {
	text = strings.ToLower(text)
	if len(validation.IsDNS1123Label(text)) > 0 {
		return ""
	}
	return text
}
