package cluster

import (
	"net/netip"
	"slices"
)

// reindexExternal updates the index of external addresses after a Service was replaced. A
// Service has so few of them that they need no sorting.
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
