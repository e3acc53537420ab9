package convert

import (
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Labels of EndpointSlices from other clusters (KEP-1645).
const (
	LabelServiceImport = "multicluster.kubernetes.io/service-name"
	LabelSourceCluster = "multicluster.kubernetes.io/source-cluster"
)

// ServiceImport is a ServiceImport of any version, with the fields that DNS needs.
type ServiceImport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Type  string              `json:"type"`
		IPs   []string            `json:"ips"`
		Ports []ServiceImportPort `json:"ports"`
	} `json:"spec"`
}

// ServiceImportPort is a port of a ServiceImport.
type ServiceImportPort struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Port     int32  `json:"port"`
}

// DeepCopyObject implements runtime.Object. A shallow copy is enough, because nobody
// changes one.
func (i *ServiceImport) DeepCopyObject() runtime.Object { c := *i; return &c }

// ServiceImport converts a ServiceImport. A headless one has the addresses of its slices
// only, even if it lists others.
//
// The API server validates such a custom resource less strictly than a Service. A
// ServiceImport whose name is not a DNS label has no name in DNS, so the result is nil.
func (c *Converter) ServiceImport(i *ServiceImport) *cluster.Service {
	if label(i.Name) != i.Name {
		return nil
	}
	out := &cluster.Service{
		Key:   cluster.Key{Namespace: c.pool.text(i.Namespace), Name: i.Name},
		Ports: c.importPorts(i.Spec.Ports),
	}
	if i.Spec.Type == "Headless" {
		out.Kind = cluster.Headless
	} else {
		out.ClusterIPs = parseAddrs(i.Spec.IPs)
	}
	return out
}

// importPorts converts ports. It drops protocols that no SRV record can have, and treats a
// port whose name is not a DNS label as unnamed.
func (c *Converter) importPorts(ports []ServiceImportPort) []cluster.Port {
	c.ports = c.ports[:0]
	for _, p := range ports {
		if slices.Contains([]string{"", "tcp", "udp", "sctp"}, strings.ToLower(p.Protocol)) {
			c.addPort(label(p.Name), p.Protocol, p.Port)
		}
	}
	return c.pool.ports(c.ports)
}

// ImportedSlice converts an EndpointSlice as a part of a ServiceImport. A slice that also
// has the label of a Service of this cluster belongs to both.
func (c *Converter) ImportedSlice(s *discoveryv1.EndpointSlice) *cluster.Slice {
	return c.sliceOf(s, s.Labels[LabelServiceImport], label(s.Labels[LabelSourceCluster]))
}

// label returns a text as a DNS label, or "" if it is not one.
func label(text string) string {
	text = strings.ToLower(text)
	if len(validation.IsDNS1123Label(text)) > 0 {
		return ""
	}
	return text
}
