package cluster

import (
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// maxPodLabel is the longest Pod name that can be a DNS label (RFC 1035 2.3.4).
const maxPodLabel = 63

// Label returns the DNS label of an endpoint: its hostname; without one and if podNames is
// set, the name of its Pod; otherwise its address with dashes.
func (e *Endpoint) Label(podNames bool) string {
	if e.Named(podNames) {
		return e.OwnLabel()
	}
	return dnsname.Dashed(e.Addr)
}

// Named reports whether the label is a hostname or a Pod's name, and not the address.
func (e *Endpoint) Named(podNames bool) bool {
	return e.Identity != nil && (e.Identity.Hostname != "" || (podNames && usablePodLabel(e.Identity.Pod)))
}

// usablePodLabel reports whether a Pod's name can be a DNS label. Kubernetes allows longer
// names, and dots in them.
func usablePodLabel(pod string) bool {
	return pod != "" && len(pod) <= maxPodLabel && !strings.Contains(pod, ".")
}

// is reports whether the endpoint has the label.
func (e *Endpoint) is(label string, podNames bool) bool {
	if e.Named(podNames) {
		return e.OwnLabel() == label
	}
	var buf [dnsname.DashedSize]byte
	return string(dnsname.AppendDashed(buf[:0], e.Addr)) == label
}
