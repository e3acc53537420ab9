package zone

import (
	"net/netip"
	"strings"
)

// maxPodLabel is the longest Pod name that can be a DNS label (RFC 1035 2.3.4).
const maxPodLabel = 63

// label is the DNS label of an endpoint: its hostname, else, where podNames are
// asked for, the name of its Pod, else its address with dashes.
func (e *Endpoint) label(podNames bool) string {
	if e.Identity == nil {
		return dashed(e.Addr)
	}
	if e.Identity.Hostname != "" || (podNames && usablePodLabel(e.Identity.Pod)) {
		return e.ownLabel()
	}
	return dashed(e.Addr)
}

// usablePodLabel says whether a Pod's name fits into one label. Kubernetes lets
// it be longer, and have dots.
func usablePodLabel(pod string) bool {
	return pod != "" && len(pod) <= maxPodLabel && !strings.Contains(pod, ".")
}

// dashed is the label of an address: 10-0-0-1, 2001-db8--1. A label must not end
// in a dash (RFC 1123 2.1), so a trailing one is followed by the zero it stands for.
func dashed(a netip.Addr) string {
	if a.Is4() {
		return strings.ReplaceAll(a.String(), ".", "-")
	}
	s := strings.ReplaceAll(a.String(), ":", "-")
	if strings.HasSuffix(s, "-") {
		s += "0"
	}
	return s
}

// parseDashed is the address that a label spells with dashes. Several labels may
// spell one IPv6 address. A dot within a label is not one between two.
func parseDashed(label string) (netip.Addr, bool) {
	if strings.Contains(label, ".") {
		return netip.Addr{}, false
	}
	text := strings.ReplaceAll(label, "-", ":")
	if strings.Count(label, "-") == 3 && !strings.Contains(label, "--") {
		text = strings.ReplaceAll(label, "-", ".")
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}
