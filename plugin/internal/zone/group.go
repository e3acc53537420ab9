package zone

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// group is a node of endpoints of a Service, of which there may be very many. An answer
// costs what it shows of them.
type group struct {
	service *cluster.ServiceNode
	subset  subset
	outside bool // it is named as ExternalView has it
}

// rrset implements node.
func (c group) rrset(b *builder, qtype uint16) {
	switch qtype {
	case dns.TypeA, dns.TypeAAAA:
		if packed := addressesOf(c.service, &c.subset).of(qtype); len(packed) > 0 {
			*b.answer = b.answer.withAddresses(b.header(qtype), packed, b.room)
		}
	case dns.TypeSRV:
		b.group(c, targetsOf(c.service, &c.subset))
	}
}

// list are the endpoints as hosts.
func (c group) list() []host {
	var list []host
	eachEndpoint(c.service, &c.subset, func(_ int, slice *cluster.Slice, i int) bool {
		ports := slice.Ports
		if c.subset.kind == byPort {
			ports = c.subset.ports.choose(ports)
		}
		list = append(list, sliceHost(slice, slice.Endpoints.At(i), ports))
		return true
	})
	return list
}

// addrs are the addresses of all, some of which may have one in common, but no more
// than limit.
func (c group) addrs(limit int) []netip.Addr {
	var addrs []netip.Addr
	eachEndpoint(c.service, &c.subset, func(_ int, slice *cluster.Slice, i int) bool {
		if len(addrs) >= limit {
			return false
		}
		addrs = append(addrs, slice.Endpoints.Addr(i))
		return true
	})
	return addrs
}

// target is the name of an endpoint.
func (c *group) target(slice *cluster.Slice, e cluster.Endpoint, origin string) string {
	if c.outside {
		return e.Label(c.subset.podNames) + "." + outerName(c.service, origin)
	}
	return hosts{service: c.service, podNames: c.subset.podNames}.target(sliceHost(slice, e, nil), origin)
}

// minTarget is the size that the name of an endpoint has at least, in wire form. The
// shortest label has one character.
func (c *group) minTarget(originSize int) int {
	size := 2 + 1 + len(c.service.Key.Name) + 1 + len(c.service.Key.Namespace) + originSize
	if !c.outside {
		size += len("\x03svc")
	}
	return size
}

// srvFixed is the size of the data of an SRV record but for the name.
const srvFixed = 6

// withAddresses adds addresses that are packed one behind the other, each of them once:
// as many as there is room for.
func (a Answer) withAddresses(hdr dns.RR_Header, packed []byte, room Room) Answer {
	size := addressSize(hdr.Rrtype)
	count := len(packed) / size
	shown := min(count, a.free(hdr.Name, room)/(recordHead+size))
	if shown < count {
		a.Truncated = true
		packed = somePacked(packed, size, newSample(count, shown, room.Random))
	}
	a.Records = addressRecords(a.Records, hdr, packed)
	return a
}

func somePacked(packed []byte, size int, s sample) []byte {
	some := make([]byte, 0, s.count*size)
	for range s.count {
		at := s.next() * size
		some = append(some, packed[at:at+size]...)
	}
	return some
}

// free is how many octets more there are for records that belong to a name. Names in the
// answer section are compressed (RFC 1035 4.1.4), as they are where room is short.
func (a *Answer) free(owner string, room Room) int {
	used := headerSize + len(owner) + 1 + 4
	if len(a.Records) > 0 {
		m := dns.Msg{Answer: a.Records, Compress: true}
		m.Question = []dns.Question{{Name: a.Records[0].Header().Name}}
		used = m.Len()
	}
	return max(0, room.Size-room.Reserved-used)
}

// group adds SRV records and, if there is room for all of them, the addresses of their
// targets.
func (b *builder) group(c group, t *targets) {
	least := recordHead + srvFixed + c.minTarget(len(b.origin)+1)
	v := groupVisit{b: b, c: c, cursor: cursor{slices: c.service.Slices}, weight: weightOf(t.pairs), free: b.answer.free(b.owner, b.room)}
	if t.shared {
		v.seen = map[srvKey]struct{}{}
	}
	count := t.records.count
	if count*least > v.free {
		count = v.free/least + 1
	}
	s := newSample(t.records.count, count, b.room.Random)
	for range count {
		if !v.records(t.records.at(s.next())) {
			b.answer.Truncated = true
			return
		}
	}
	for i := range t.addresses.count {
		if !v.address(t.addresses.at(i)) {
			b.answer.Truncated = true
			return
		}
	}
}

// weightOf shares a hundred among all pairs of target and port, as stock CoreDNS does.
func weightOf(pairs int) uint16 { return uint16(max(1, 100/max(1, pairs))) }

// groupVisit adds the records of one endpoint after the other.
type groupVisit struct {
	b      *builder
	c      group
	cursor cursor
	weight uint16
	free   int                 // octets of the message
	seen   map[srvKey]struct{} // nil if all records differ
}

func (v *groupVisit) first(k srvKey) bool {
	if v.seen == nil {
		return true
	}
	_, dup := v.seen[k]
	v.seen[k] = struct{}{}
	return !dup
}

// records adds the SRV records to an endpoint. It fails if there is no room for one.
func (v *groupVisit) records(position int) bool {
	slice, i := v.cursor.at(position)
	target := v.c.target(slice, slice.Endpoints.At(i), v.b.origin)
	if unsendable(target) {
		return true
	}
	var buf [8]uint16
	numbers, _ := v.c.subset.numbers(slice, buf[:0])
	for _, number := range numbers {
		if !v.first(srvKey{target: target, port: number}) {
			continue
		}
		if v.free -= recordHead + srvFixed + len(target) + 1; v.free < 0 {
			return false
		}
		v.b.add(&dns.SRV{Hdr: v.b.header(dns.TypeSRV), Weight: v.weight, Port: number, Target: target})
	}
	return true
}

// address adds the address of an endpoint, whose name is there already.
func (v *groupVisit) address(position int) bool {
	slice, i := v.cursor.at(position)
	e := slice.Endpoints.At(i)
	target := v.c.target(slice, e, v.b.origin)
	if unsendable(target) || !v.first(srvKey{target: target, addr: e.Addr}) {
		return true
	}
	if v.free -= recordHead + addressSize(addressType(e.Addr)); v.free < 0 {
		return false
	}
	v.b.extra(v.b.address(target, e.Addr))
	return true
}

// group writes SRV records to as many endpoints as there is room for, of those that
// do not all fit. It fails where some have a record in common.
func (w *writer) group(c *group, t *targets) bool {
	if t.shared {
		return false
	}
	least := recordHead + srvFixed + c.minTarget(len(w.origin.Wire()))
	count := min(t.records.count, max(0, w.free())/least+1)
	s := newSample(t.records.count, count, w.room.Random)
	where := cursor{slices: c.service.Slices}
	w.wire = Wire{Result: Success, Truncated: true, Plain: len(w.msg)}
	for range count {
		slice, i := where.at(t.records.at(s.next()))
		fits, ok := w.member(c, slice, i, weightOf(t.pairs))
		if !ok {
			return false
		}
		if !fits {
			break
		}
	}
	return true
}

// member writes the SRV records to an endpoint, if they fit. It fails for one whose name
// is not to be written from here.
func (w *writer) member(c *group, slice *cluster.Slice, i int, weight uint16) (fits, ok bool) {
	var buf [8]uint16
	numbers, _ := c.subset.numbers(slice, buf[:0])
	for _, number := range numbers {
		start := len(w.msg)
		w.owner()
		w.head(dns.TypeSRV, w.view.TTL)
		at := len(w.msg)
		w.msg = append(w.msg, 0, 0, 0, 0, byte(weight>>8), byte(weight), byte(number>>8), byte(number))
		e := slice.Endpoints.At(i)
		if !w.target(c, slice, &e) || len(w.msg)-at-2-srvFixed > dnsname.MaxWire {
			return false, false
		}
		w.size(at)
		if w.free() < 0 {
			w.msg = w.msg[:start]
			return false, true
		}
		w.wire.Answers++
		w.wire.Plain += len(w.msg) - start - 2 + len(w.question.Name().Wire())
	}
	return true, true
}

// target writes the name of an endpoint, with the origin as the client spelled it.
func (w *writer) target(c *group, slice *cluster.Slice, e *cluster.Endpoint) bool {
	ok := w.endpointLabel(e) && (slice.Cluster == "" || w.label(strings.ToLower(slice.Cluster))) &&
		w.label(c.service.Key.Name) && w.label(c.service.Key.Namespace) && w.label("svc")
	from, to := w.origin.in(w.question)
	w.msg = append(w.msg, w.msg[from:to]...)
	return ok
}

// in is where in a message the question has the origin.
func (o *Origin) in(q *Question) (from, to int) {
	to = headerSize + len(q.Name().Wire())
	return to - len(o.Wire()), to
}

// topologyZones are the topology zones of a Service's endpoints.
type topologyZones struct{ names map[string]struct{} }

func hasTopologyZone(n *cluster.ServiceNode, name string) bool {
	z := answersOf(n).zones.Load()
	if z == nil {
		z = &topologyZones{map[string]struct{}{}}
		for _, slice := range n.Slices {
			for e := range slice.Endpoints.All() {
				if id := e.Identity; id != nil && id.TopologyZone != "" {
					z.names[id.TopologyZone] = struct{}{}
				}
			}
		}
		answersOf(n).zones.Store(z)
	}
	_, ok := z.names[name]
	return ok
}

func (z *topologyZones) bytes() int {
	sum := cluster.SizeOf[topologyZones]() + cluster.MapSize(len(z.names))
	for name := range z.names {
		sum += cluster.Rounded(len(name))
	}
	return sum
}

// exists says whether there is any endpoint.
func (c *group) exists() bool {
	found := false
	eachEndpoint(c.service, &c.subset, func(int, *cluster.Slice, int) bool {
		found = true
		return false
	})
	return found
}
