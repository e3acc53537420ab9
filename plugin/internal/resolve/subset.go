package resolve

import (
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Subset says which endpoints of a Service a name stands for, and how they are named.
type Subset struct {
	Kind     SubsetKind
	Ports    PortFilter // for ByPort
	Name     string     // for ByLabel and ByImport a label, for ByZone a topology zone
	Cluster  string     // for ByImport, the cluster that exports the endpoints
	PodNames bool       // an endpoint without a hostname is named after its Pod
	Outside  bool       // the names are in an external zone
}

// SubsetKind is the property by which endpoints are chosen.
type SubsetKind uint8

// The kinds of subset.
const (
	All      SubsetKind = iota // every endpoint
	ByPort                     // endpoints with a port; of a Service without endpoints, its ports
	ByLabel                    // endpoints with a label
	ByImport                   // endpoints with a label, exported by one cluster
	ByZone                     // endpoints in a topology zone
)

// PortFilter chooses ports by name and protocol.
type PortFilter struct{ Name, Protocol string }

// FilterOf returns the filter that chooses ports with the name and protocol of p.
func FilterOf(p cluster.Port) PortFilter { return PortFilter{Name: p.Name, Protocol: p.Protocol} }

// NameBelow returns the name of the chosen port below the name of its Service (RFC 2782).
func (f PortFilter) NameBelow(service string) string {
	return "_" + f.Name + "._" + f.Protocol + "." + service
}

// Matches reports whether the filter chooses a port. A port without a name has no SRV
// record (Kubernetes DNS specification 2.3.2), so no filter chooses it.
func (f PortFilter) Matches(p cluster.Port) bool {
	return p.Name != "" && p.Name == f.Name && p.Protocol == f.Protocol
}

// Undecorated returns the name of a port or protocol without the underscore of RFC 2782,
// which stock CoreDNS does not require either.
func Undecorated(label string) string { return strings.TrimPrefix(label, "_") }

// Each iterates over the endpoints of a subset. It yields the position of each among all
// endpoints of the Service, its slice, and its index in the slice.
func (sub *Subset) Each(n *cluster.ServiceNode, yield func(at int, slice *cluster.Slice, i int) bool) {
	first := 0
	for _, slice := range n.Slices {
		if sub.Holds(slice) && !sub.eachIn(slice, func(i int) bool { return yield(first+i, slice, i) }) {
			return
		}
		first += slice.Endpoints.Len()
	}
}

// Holds reports whether a slice may have endpoints of the subset.
func (sub *Subset) Holds(slice *cluster.Slice) bool {
	switch sub.Kind {
	case ByPort:
		for _, p := range slice.Ports {
			if sub.Ports.Matches(p) {
				return true
			}
		}
		return false
	case ByImport:
		return strings.ToLower(slice.Cluster) == sub.Cluster
	}
	return true
}

// Labels reports whether the subset is chosen by label.
func (sub *Subset) Labels() bool { return sub.Kind == ByLabel || sub.Kind == ByImport }

func (sub *Subset) eachIn(slice *cluster.Slice, yield func(int) bool) bool {
	more := true
	pass := func(i int) bool {
		more = yield(i)
		return more
	}
	switch sub.Kind {
	case ByLabel, ByImport:
		slice.WithLabel(sub.Name, sub.PodNames)(pass)
		return more
	}
	for i := 0; i < slice.Endpoints.Len() && more; i++ {
		if sub.Kind == ByZone && !isIn(slice, i, sub.Name) {
			continue
		}
		pass(i)
	}
	return more
}

// isIn reports whether the i-th endpoint is in a topology zone.
func isIn(s *cluster.Slice, i int, topologyZone string) bool {
	id := s.Endpoints.Identity(i)
	return id != nil && id.TopologyZone == topologyZone
}

// Numbers appends the numbers of the ports in the subset to a list, without repetitions and up
// to a limit, and returns how many ports there are.
func (sub *Subset) Numbers(ports []cluster.Port, list []uint16, limit int) ([]uint16, int) {
	if len(ports) > cluster.Few {
		return sub.manyNumbers(ports, list, limit)
	}
	count := 0
	for _, p := range ports {
		if sub.Kind == ByPort && !sub.Ports.Matches(p) {
			continue
		}
		count++
		if len(list) < limit && !slices.Contains(list, p.Number) {
			list = append(list, p.Number)
		}
	}
	return list, count
}

// manyNumbers does the same where to compare each number with every other would take long: a
// slice may have 20,000 ports.
func (sub *Subset) manyNumbers(ports []cluster.Port, list []uint16, limit int) ([]uint16, int) {
	var seen [(1 << 16) / 64]uint64 // a bit for each number
	for _, number := range list {
		seen[number/64] |= 1 << (number % 64)
	}
	count := 0
	for _, p := range ports {
		if sub.Kind == ByPort && !sub.Ports.Matches(p) {
			continue
		}
		if count++; len(list) >= limit {
			if sub.Kind != ByPort {
				return list, len(ports)
			}
			continue
		}
		if bit := uint64(1) << (p.Number % 64); seen[p.Number/64]&bit == 0 {
			seen[p.Number/64] |= bit
			list = append(list, p.Number)
		}
	}
	return list, count
}

// Members returns the number of endpoints of a Service.
func Members(n *cluster.ServiceNode) int {
	sum := 0
	for _, slice := range n.Slices {
		sum += slice.Endpoints.Len()
	}
	return sum
}

// Cursor finds endpoints of a Service by position. Moving to a later position costs as many
// steps as there are slices between the two.
type Cursor struct {
	Slices []*cluster.Slice
	slice  int // index of the slice at the last position
	first  int // position of that slice's first endpoint
}

// At returns the slice of the endpoint at a position, and the endpoint's index in the
// slice.
func (c *Cursor) At(position int) (*cluster.Slice, int) {
	if position < c.first {
		c.slice, c.first = 0, 0
	}
	for {
		slice := c.Slices[c.slice]
		if size := slice.Endpoints.Len(); position >= c.first+size {
			c.first += size
			c.slice++
			continue
		}
		return slice, position - c.first
	}
}
