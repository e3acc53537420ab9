package answer

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// roster is cached data about a subset of endpoints, so that an answer looks at no more of
// them than it has records for.
type roster struct {
	next      *roster
	subset    resolve.Subset
	addresses *packedAddresses
	targets   *targets
}

// targets are the endpoints that are targets of SRV records.
type targets struct {
	pairs     int       // number of pairs of endpoint and port, for the weight
	records   positions // endpoints with a record that no earlier endpoint has
	addresses positions // endpoints with an address that no earlier endpoint has
	overlap   bool      // some endpoints repeat records of earlier ones and also have new ones
}

// same reports whether each endpoint with a record brings an address, and no other does.
func (t *targets) same() bool {
	r, a := t.records.list, t.addresses.list
	return len(r) == len(a) && (len(r) == 0 || &r[0] == &a[0])
}

// positions are the positions of endpoints among all endpoints of a Service.
type positions struct {
	list  []int32 // nil for all positions
	count int
}

func (p *positions) at(i int) int {
	if p.list == nil {
		return i
	}
	return int(p.list[i])
}

// compact returns the positions in a list of a Service with so many members.
func compact(list []int32, members int) positions {
	if len(list) == members {
		return positions{count: members}
	}
	return positions{append(make([]int32, 0, len(list)), list...), len(list)}
}

// answerCache is the cached data of one version of a Service. It goes with that version.
type answerCache struct {
	all     atomic.Pointer[packedAddresses] // addresses of all endpoints
	rosters atomic.Pointer[roster]
}

func cacheOf(n *cluster.ServiceNode) *answerCache {
	c, _ := n.Cached().(*answerCache)
	if c == nil {
		c = n.Cache(new(answerCache)).(*answerCache)
	}
	return c
}

// packedAddresses are the addresses of endpoints, without repetitions, one after another.
// They take a fraction of the records' size.
type packedAddresses struct{ v4, v6 []byte }

// of returns the addresses of a type's family.
func (k *packedAddresses) of(qtype uint16) []byte {
	if qtype == dns.TypeA {
		return k.v4
	}
	return k.v6
}

func (c *answerCache) addressesOf(n *cluster.ServiceNode, sub *resolve.Subset) *packedAddresses {
	if sub.Kind == resolve.All {
		k := c.all.Load()
		if k == nil {
			k = makeAddresses(n, sub)
			c.all.Store(k)
		}
		return k
	}
	r := c.roster(sub)
	if r != nil && r.addresses != nil {
		return r.addresses
	}
	made := roster{subset: *sub, addresses: makeAddresses(n, sub)}
	if r != nil {
		made.targets = r.targets
	}
	c.keep(n, &made)
	return made.addresses
}

func (c *answerCache) targetsOf(n *cluster.ServiceNode, sub *resolve.Subset) *targets {
	r := c.roster(sub)
	if r != nil && r.targets != nil {
		return r.targets
	}
	made := roster{subset: *sub, targets: makeTargets(n, *sub)}
	if r != nil {
		made.addresses = r.addresses
	}
	c.keep(n, &made)
	return made.targets
}

func (c *answerCache) roster(sub *resolve.Subset) *roster {
	for r := c.rosters.Load(); r != nil; r = r.next {
		if r.subset == *sub {
			return r
		}
	}
	return nil
}

// The cached data of a Service is bounded by the size of the Service in the model, and so
// it is bounded for the whole store.
const (
	cachedPerService  = 1024
	cachedPerEndpoint = 32
)

// keep adds a roster. If several are added at once, one may be lost.
func (c *answerCache) keep(n *cluster.ServiceNode, made *roster) {
	s := &made.subset // its texts are in the question's memory
	s.Name, s.Cluster = strings.Clone(s.Name), strings.Clone(s.Cluster)
	s.Ports = resolve.PortFilter{Name: strings.Clone(s.Ports.Name), Protocol: strings.Clone(s.Ports.Protocol)}
	made.next = c.rosters.Load()
	if c.Bytes()+made.bytes() > cachedPerService+cachedPerEndpoint*resolve.Members(n) {
		made.next = nil
	}
	c.rosters.Store(made)
}

// Bytes returns the size of the cached data.
func (c *answerCache) Bytes() int {
	sum := cluster.SizeOf[answerCache]()
	if a := c.all.Load(); a != nil {
		sum += a.bytes()
	}
	for r := c.rosters.Load(); r != nil; r = r.next {
		sum += r.bytes()
	}
	return sum
}

func (k *packedAddresses) bytes() int {
	return cluster.SizeOf[packedAddresses]() + cluster.ArraySize(k.v4) + cluster.ArraySize(k.v6)
}

func makeAddresses(n *cluster.ServiceNode, sub *resolve.Subset) *packedAddresses {
	k := new(packedAddresses)
	seen := make(map[netip.Addr]struct{}, resolve.Members(n))
	sub.Each(n, func(_ int, slice *cluster.Slice, i int) bool {
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

// targetKey identifies an SRV record of one owner, or the address of a target.
type targetKey struct {
	cluster, label string
	named          netip.Addr    // the address that the label is made of, if it is
	ports          *cluster.Port // set for the records of all ports of a slice together
	addr           netip.Addr    // set for an address record
	port           uint16        // set for an SRV record
}

// targetKeyOf returns the part of the key that is the name of an endpoint.
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

// makeTargets takes its subset by value, because its own use makes the subset escape to the
// heap.
func makeTargets(n *cluster.ServiceNode, sub resolve.Subset) *targets {
	c := targetCount{targets: new(targets), sub: &sub}
	if !namedOnce(n, &sub) {
		c.seen = make(map[targetKey]struct{}, 2*resolve.Members(n))
		c.rough = slices.ContainsFunc(n.Slices, func(s *cluster.Slice) bool { return len(s.Ports) > cluster.Few })
	}
	sub.Each(n, func(at int, slice *cluster.Slice, i int) bool {
		c.add(at, slice, i)
		return true
	})
	t, members := c.targets, resolve.Members(n)
	t.records, t.addresses = compact(c.records, members), compact(c.addresses, members)
	if slices.Equal(t.records.list, t.addresses.list) {
		t.addresses.list = t.records.list
	}
	return t
}

// targetCount looks at one endpoint after another for records that it adds.
type targetCount struct {
	*targets
	sub                *resolve.Subset
	records, addresses []int32
	seen               map[targetKey]struct{} // nil if all names differ
	rough              bool                   // some slice has so many ports that they are not told apart
	slice              *cluster.Slice         // of the last endpoint
	numbers            []uint16               // of that slice's ports
	count              int                    // of that slice's ports
}

func (c *targetCount) add(at int, slice *cluster.Slice, i int) {
	if slice != c.slice {
		c.slice = slice
		c.numbers, c.count = c.sub.Numbers(slice.Ports, c.numbers[:0], dns.MaxMsgSize/recordHead)
	}
	if c.pairs += max(1, c.count); c.count == 0 {
		return
	}
	if c.seen == nil {
		c.records, c.addresses = append(c.records, int32(at)), append(c.addresses, int32(at))
		return
	}
	e := slice.Endpoints.At(i)
	k := targetKeyOf(slice, &e, c.sub.PodNames)
	if brings := c.brings(k); brings > 0 {
		c.records = append(c.records, int32(at))
		c.overlap = c.overlap || brings < len(c.numbers)
	}
	if k.addr = e.Addr; c.first(k) {
		c.addresses = append(c.addresses, int32(at))
	}
}

// brings returns how many records of the current slice's ports an endpoint of a name adds. Where
// slices have many ports, a name that is in slices with different ports may be taken to repeat a
// record: then whoever makes the records tells them apart, and no memory is spent on each here.
func (c *targetCount) brings(k targetKey) int {
	if c.rough {
		known := !c.first(k)
		k.ports = &c.slice.Ports[0]
		switch {
		case !c.first(k):
			return 0
		case known:
			c.overlap = true
		}
		return len(c.numbers)
	}
	count := 0
	for _, k.port = range c.numbers {
		if c.first(k) {
			count++
		}
	}
	return count
}

func (c *targetCount) first(k targetKey) bool {
	_, dup := c.seen[k]
	c.seen[k] = struct{}{}
	return !dup
}

// namedOnce reports whether no two endpoints have the same name. It compares hashes, so it
// may take two names for the same one, which only costs time.
func namedOnce(n *cluster.ServiceNode, sub *resolve.Subset) bool {
	hashes := make([]uint64, 0, resolve.Members(n))
	sub.Each(n, func(_ int, slice *cluster.Slice, i int) bool {
		e := slice.Endpoints.At(i)
		hashes = append(hashes, maphash.Comparable(hashSeed, targetKeyOf(slice, &e, sub.PodNames)))
		return true
	})
	slices.Sort(hashes)
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			return false
		}
	}
	return true
}

var hashSeed = maphash.MakeSeed()

// bytes returns the size of the cached data.
func (r *roster) bytes() int {
	sum := cluster.SizeOf[roster]() + cluster.Rounded(len(r.subset.Name)) + cluster.Rounded(len(r.subset.Cluster)) + cluster.Rounded(len(r.subset.Ports.Name)) + cluster.Rounded(len(r.subset.Ports.Protocol))
	if a := r.addresses; a != nil {
		sum += a.bytes()
	}
	if t := r.targets; t != nil {
		sum += cluster.SizeOf[targets]() + cluster.ArraySize(t.records.list)
		if !t.same() {
			sum += cluster.ArraySize(t.addresses.list)
		}
	}
	return sum
}
