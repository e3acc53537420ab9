package zone

import (
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// subset says which endpoints of a Service a name stands for.
type subset struct {
	kind     subsetKind
	ports    portFilter // byPort
	name     string     // the label or the topology zone
	cluster  string     // byImport: that the endpoints come from
	podNames bool       // endpoints are named after their Pods
}

type subsetKind uint8

const (
	everyone subsetKind = iota
	byPort              // those with a port
	byLabel             // those with a label
	byImport            // those with a label, of one cluster
	byZone              // those of a topology zone
)

// each iterates over the endpoints of a subset: their position among all of the
// Service's, and their slice and index there.
func eachEndpoint(n *cluster.ServiceNode, sub *subset, yield func(at int, slice *cluster.Slice, i int) bool) {
	first := 0
	for _, slice := range n.Slices {
		if sub.holds(slice) && !sub.eachIn(slice, func(i int) bool { return yield(first+i, slice, i) }) {
			return
		}
		first += slice.Endpoints.Len()
	}
}

// holds says whether endpoints of a slice may be in the subset.
func (sub *subset) holds(slice *cluster.Slice) bool {
	switch sub.kind {
	case byPort:
		for _, p := range slice.Ports {
			if sub.ports.matches(p) {
				return true
			}
		}
		return false
	case byImport:
		return strings.ToLower(slice.Cluster) == sub.cluster
	}
	return true
}

func (sub *subset) eachIn(slice *cluster.Slice, yield func(int) bool) bool {
	more := true
	pass := func(i int) bool {
		more = yield(i)
		return more
	}
	switch sub.kind {
	case byLabel, byImport:
		slice.WithLabel(sub.name, sub.podNames)(pass)
		return more
	}
	for i := 0; i < slice.Endpoints.Len() && more; i++ {
		if sub.kind == byZone && !isInZone(slice, i, sub.name) {
			continue
		}
		pass(i)
	}
	return more
}

// isIn says whether the i-th endpoint is in a topology zone.
func isInZone(s *cluster.Slice, i int, topologyZone string) bool {
	id := s.Endpoints.Identity(i)
	return id != nil && id.TopologyZone == topologyZone
}

// numbers appends the port numbers that endpoints of a slice have, each once, and says
// how many ports they are of.
func (sub *subset) numbers(slice *cluster.Slice, list []uint16) ([]uint16, int) {
	count := 0
	for _, p := range slice.Ports {
		if sub.kind == byPort && !sub.ports.matches(p) {
			continue
		}
		count++
		if !holdsNumber(list, p.Number) {
			list = append(list, p.Number)
		}
	}
	return list, count
}

func holdsNumber(list []uint16, number uint16) bool {
	for _, other := range list {
		if other == number {
			return true
		}
	}
	return false
}

// members is the number of all endpoints of a Service.
func endpointCount(n *cluster.ServiceNode) int {
	sum := 0
	for _, slice := range n.Slices {
		sum += slice.Endpoints.Len()
	}
	return sum
}

// cursor finds endpoints by their position. To go on from one position to a later one
// costs as many steps as there are slices between them.
type cursor struct {
	slices []*cluster.Slice
	slice  int // of the last position
	first  int // position of its first endpoint
}

func (c *cursor) at(position int) (*cluster.Slice, int) {
	if position < c.first {
		c.slice, c.first = 0, 0
	}
	for {
		slice := c.slices[c.slice]
		if size := slice.Endpoints.Len(); position >= c.first+size {
			c.first += size
			c.slice++
			continue
		}
		return slice, position - c.first
	}
}
