package cluster

import "net/netip"

// Client is the sender of a query, as far as its address identifies it.
type Client struct {
	Namespace string // empty if unknown
	Pod       *Pod   // nil unless exactly one Pod has the address
}

// Client identifies the sender behind an address. A Pod in its node's network shares the
// address with everything else on that node, so an address of such a Pod identifies nobody.
// While an address passes from one Pod to another, both may have it for a while: then only
// the Namespace is known, if they have it in common.
func (s *Snapshot) Client(a netip.Addr) Client {
	if !s.synced {
		return Client{} // the Pod that makes the address ambiguous may be missing
	}
	var c Client
	for p := range s.pods.At(a) {
		known := c.Namespace != ""
		if p.HostNetwork || known && p.Namespace != c.Namespace {
			return Client{}
		}
		c = Client{Namespace: p.Namespace, Pod: p}
		if known {
			c.Pod = nil
		}
	}
	return c
}

// HasPod reports whether a Pod of the Namespace has the address.
func (s *Snapshot) HasPod(a netip.Addr, namespace string) bool {
	for p := range s.pods.At(a) {
		if p.Namespace == namespace {
			return true
		}
	}
	return false
}
