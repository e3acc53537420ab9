package cluster

import "net/netip"

// Client is who asks from an address, as far as that is certain.
type Client struct {
	Namespace string // empty if it is not known
	Pod       *Pod   // nil unless a single Pod has the address
}

// Client finds the Pod behind an address. A Pod in its node's network shares the
// address with whatever else runs there, so nobody is known by an address that
// any such Pod has. Where an address passes from one Pod to the next, both may
// have it for a while: then only what both have in common is known.
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
