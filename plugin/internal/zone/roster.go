package zone

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// roster is what is kept of a subset of endpoints, so that an answer looks at no more
// of them than it shows.
type roster struct {
	next      *roster
	subset    subset
	addresses *keptAddresses
	targets   *targets
}

// targets are the endpoints that SRV records lead to.
type targets struct {
	pairs     int       // of endpoints and ports, as the weight counts them
	records   positions // of the endpoints that bring a record which those before do not
	addresses positions // of those that bring an address
	shared    bool      // some records are of several endpoints
}

// positions are those of endpoints among all of a Service.
type positions struct {
	list  []int32 // nil for all
	count int
}

func (p *positions) at(i int) int {
	if p.list == nil {
		return i
	}
	return int(p.list[i])
}

// compact are the positions in a list, of so many.
func compact(list []int32, members int) positions {
	if len(list) == members {
		return positions{count: members}
	}
	return positions{append(make([]int32, 0, len(list)), list...), len(list)}
}

// maxRosters is the number of subsets of one Service that are kept.
const maxRosters = 128

// addressesOf are the addresses of a subset.
func addressesOf(n *cluster.ServiceNode, sub *subset) *keptAddresses {
	if sub.kind == everyone {
		return allAddresses(n)
	}
	r := rosterOf(n, sub)
	if r == nil || r.addresses == nil {
		made := roster{subset: *sub, addresses: makeAddresses(n, sub)}
		if r != nil {
			made.targets = r.targets
		}
		keepRoster(n, &made)
		return made.addresses
	}
	return r.addresses
}

// targetsOf are the targets of a subset.
func targetsOf(n *cluster.ServiceNode, sub *subset) *targets {
	r := rosterOf(n, sub)
	if r == nil || r.targets == nil {
		made := roster{subset: *sub, targets: makeTargets(n, sub)}
		if r != nil {
			made.addresses = r.addresses
		}
		keepRoster(n, &made)
		return made.targets
	}
	return r.targets
}

func rosterOf(n *cluster.ServiceNode, sub *subset) *roster {
	for r := answersOf(n).rosters.Load(); r != nil; r = r.next {
		if r.subset == *sub {
			return r
		}
	}
	return nil
}

// keep adds a roster. Where several are added at once, one may be lost.
func keepRoster(n *cluster.ServiceNode, made *roster) {
	list := answersOf(n).rosters.Load()
	count := 0
	for r := list; r != nil; r = r.next {
		count++
	}
	if count < maxRosters {
		made.next = list
	}
	s := &made.subset // of which the question holds the texts
	s.name, s.cluster = strings.Clone(s.name), strings.Clone(s.cluster)
	s.ports = portFilter{strings.Clone(s.ports.name), strings.Clone(s.ports.protocol)}
	answersOf(n).rosters.Store(made)
}

func makeAddresses(n *cluster.ServiceNode, sub *subset) *keptAddresses {
	k := new(keptAddresses)
	seen := map[netip.Addr]struct{}{}
	eachEndpoint(n, sub, func(_ int, slice *cluster.Slice, i int) bool {
		a := slice.Endpoints.Addr(i)
		if _, dup := seen[a]; dup {
			return true
		}
		seen[a] = struct{}{}
		if a.Is4() {
			k.v4 = packAddr(k.v4, a)
		} else {
			k.v6 = packAddr(k.v6, a)
		}
		return true
	})
	k.v4, k.v6 = bytes.Clone(k.v4), bytes.Clone(k.v6)
	return k
}

// targetKey tells SRV records of one owner apart, or the addresses of their targets.
type targetKey struct {
	cluster, label string
	named          netip.Addr // where the label is made of an address
	addr           netip.Addr // of an address record
	port           uint16     // of an SRV record
}

// targetKey is the part of the key that is the name of an endpoint.
func targetKeyOf(s *cluster.Slice, e *cluster.Endpoint, podNames bool) targetKey {
	k := targetKey{cluster: strings.ToLower(s.Cluster)}
	if !e.Named(podNames) {
		k.named = e.Addr
		return k
	}
	k.label = e.OwnLabel()
	if a, ok := dnsname.ParseDashed(k.label); ok && dnsname.Dashed(a) == k.label {
		k.label, k.named = "", a
	}
	return k
}

func makeTargets(n *cluster.ServiceNode, sub *subset) *targets {
	t := new(targets)
	var records, addresses []int32
	seen := map[targetKey]struct{}{}
	first := func(k targetKey) bool {
		_, dup := seen[k]
		seen[k] = struct{}{}
		t.shared = t.shared || dup
		return !dup
	}
	eachEndpoint(n, sub, func(at int, slice *cluster.Slice, i int) bool {
		var buf [8]uint16
		numbers, count := sub.numbers(slice, buf[:0])
		t.pairs += max(1, count)
		if count == 0 {
			return true
		}
		e := slice.Endpoints.At(i)
		k := targetKeyOf(slice, &e, sub.podNames)
		brings := false
		for _, k.port = range numbers {
			brings = first(k) || brings
		}
		if brings {
			records = append(records, int32(at))
		}
		if k.addr, k.port = e.Addr, 0; first(k) {
			addresses = append(addresses, int32(at))
		}
		return true
	})
	members := endpointCount(n)
	t.records, t.addresses = compact(records, members), compact(addresses, members)
	if slices.Equal(t.records.list, t.addresses.list) {
		t.addresses.list = t.records.list
	}
	return t
}

// bytes is the size of what is kept.
func (r *roster) bytes() int {
	sum := cluster.SizeOf[roster]() + cluster.Rounded(len(r.subset.name)) + cluster.Rounded(len(r.subset.cluster)) + cluster.Rounded(len(r.subset.ports.name)) + cluster.Rounded(len(r.subset.ports.protocol))
	if a := r.addresses; a != nil {
		sum += a.bytes()
	}
	if t := r.targets; t != nil {
		sum += cluster.SizeOf[targets]() + cluster.ArraySize(t.records.list)
		if len(t.addresses.list) > 0 && (len(t.records.list) == 0 || &t.addresses.list[0] != &t.records.list[0]) {
			sum += cluster.ArraySize(t.addresses.list)
		}
	}
	return sum
}
