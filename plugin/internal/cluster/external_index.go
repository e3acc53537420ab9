package cluster

import (
	"net/netip"
	"slices"
)

// reindexExternal brings the index of external addresses in line with a Service
// that was replaced. There are few of them, in the order of the Service.
func (t *Txn) reindexExternal(n *ServiceNode, old, now *Service) {
	before, after := old.externalIPs(), now.externalIPs()
	for _, a := range before {
		if !slices.Contains(after, a) {
			t.next.external.Remove(t.id, a, n.Key)
		}
	}
	for _, a := range after {
		if !slices.Contains(before, a) {
			t.next.external.Add(t.id, a, n.Key)
		}
	}
}

func (s *Service) externalIPs() []netip.Addr {
	if s == nil {
		return nil
	}
	return s.ExternalIPs
}
