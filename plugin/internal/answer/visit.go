package answer

import (
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/miekg/dns"
)

// visit passes the records of one match to a sink: to one that makes records or to one that
// writes them. Only here is it decided which records there are.
//
// The snapshot is not a field, because its iterators would make the sinks escape to the
// heap.
type visit struct {
	view   *resolve.View
	zone   *resolve.Origin
	qtype  uint16
	limits *Limits
	free   int // octets left in the message
	target int // offset in the message of the last SRV record's target

	// Exactly one of the two is set. An interface would make the records escape to the
	// heap.
	records *recordSink
	wire    *wireSink
}

// told is the outcome of passing an RRset to the sink.
type told uint8

const (
	toldNothing told = iota // the name has no such RRset
	toldSome                // passed on, as far as there was room
	toldUnable              // the sink cannot take it
)

// tell passes on the records at a match. It reports false if the sink cannot take them.
func (t *visit) tell(s *cluster.Snapshot, m *resolve.Match) bool {
	switch m.Kind {
	case resolve.NoName, resolve.AtAlias: // to a text that is not a name
		return t.negative(resolve.NXDomain)
	case resolve.EmptyNonTerminal:
		return t.negative(resolve.NoData)
	}
	switch t.asked(s, m) {
	case toldSome:
		return t.success()
	case toldUnable:
		return false
	}
	if m.Kind == resolve.AtAddress && !t.view.HasName(s, m) {
		return t.negative(resolve.NXDomain)
	}
	return t.negative(resolve.NoData)
}

// anyTypes are the types of which a question for ANY gets the first RRset; RFC 8482 4.1
// allows a single one.
var anyTypes = []uint16{dns.TypeSOA, dns.TypeA, dns.TypeAAAA, dns.TypePTR, dns.TypeTXT}

func (t *visit) asked(s *cluster.Snapshot, m *resolve.Match) told {
	if t.qtype != dns.TypeANY {
		return t.rrset(s, m, t.qtype)
	}
	for _, qtype := range anyTypes {
		if is := t.rrset(s, m, qtype); is != toldNothing {
			return is
		}
	}
	if m.Published != nil && len(m.Published.Records) > 0 {
		return t.rrset(s, m, m.Published.Records[0].Type)
	}
	return toldNothing
}

// rrset passes on the RRset of a type.
func (t *visit) rrset(s *cluster.Snapshot, m *resolve.Match, qtype uint16) told {
	switch m.Kind {
	case resolve.AtApex:
		return t.apex(s, m, qtype)
	case resolve.AtVersion:
		if qtype == dns.TypeTXT {
			return t.version()
		}
	case resolve.AtNameServer:
		switch {
		case qtype == dns.TypeA || qtype == dns.TypeAAAA:
			return t.serverAddresses(s, m, qtype)
		case m.Published != nil:
			return t.published(m, qtype)
		}
	case resolve.AtAddress:
		return t.ptrRecords(s, m, qtype)
	case resolve.AtPublished:
		return t.published(m, qtype)
	case resolve.AtPod, resolve.AtClusterIP, resolve.AtExternalIP, resolve.AtEndpoints:
		switch qtype {
		case dns.TypeA, dns.TypeAAAA:
			return t.addresses(m, qtype)
		case dns.TypeSRV:
			return t.services(m)
		}
	}
	return toldNothing
}

func (t *visit) apex(s *cluster.Snapshot, m *resolve.Match, qtype uint16) told {
	switch {
	case qtype == dns.TypeSOA:
		return t.soa()
	case qtype == dns.TypeNS:
		return t.nameServers(s, m)
	case m.Addr.IsValid():
		return t.ptrRecords(s, m, qtype)
	case m.Published != nil:
		return t.published(m, qtype)
	}
	return toldNothing
}

// published passes on the records of a published name.
func (t *visit) published(m *resolve.Match, qtype uint16) told {
	if qtype == dns.TypeA || qtype == dns.TypeAAAA {
		return t.addresses(m, qtype)
	}
	is, count := toldNothing, 0
	for _, r := range m.Published.Records {
		if r.Type != qtype {
			continue
		}
		if count++; count > 1 && t.wire != nil && t.limits.Shuffle && qtype == dns.TypeMX {
			return toldUnable // the plugin loadbalance changes their order
		}
		if !t.record(&is, r) {
			return is
		}
	}
	return is
}

// opening is an address with its open ports.
type opening struct {
	addr  netip.Addr
	ports []cluster.Port
}

// services passes on the SRV records of a Service, its endpoints or a port (RFC 2782), and
// the addresses of their targets.
func (t *visit) services(m *resolve.Match) told {
	var buf [cluster.Few]opening
	svc := m.Service
	switch m.Kind {
	case resolve.AtPod:
		return toldNothing
	case resolve.AtClusterIP:
		return t.oneTarget(m, openAt(buf[:0], svc.Service.ClusterIPs, svc.Service.Ports), m.Subset.NameOf(svc))
	case resolve.AtExternalIP:
		return t.externalTargets(m)
	}
	if list, name, ok := labelledOpenings(m, buf[:0]); ok {
		return t.oneTarget(m, list, name)
	}
	return t.endpoints(m)
}

// openAt appends the addresses of a Service itself, each with all of the ports.
func openAt(list []opening, addrs []netip.Addr, ports []cluster.Port) []opening {
	for _, a := range addrs {
		list = append(list, opening{a, ports})
	}
	return list
}

// labelledOpenings appends the endpoints with one label, if they are few, and returns their
// name.
func labelledOpenings(m *resolve.Match, list []opening) (_ []opening, name resolve.HostName, ok bool) {
	if !m.Subset.Labels() {
		return nil, name, false
	}
	for _, slice := range m.Service.Slices {
		if !m.Subset.Holds(slice) {
			continue
		}
		for i := range slice.WithLabel(m.Subset.Name, m.Subset.PodNames) {
			if len(list) == cluster.Few {
				return nil, name, false
			}
			e := slice.Endpoints.At(i)
			list, name = append(list, opening{e.Addr, slice.Ports}), m.Subset.EndpointName(m.Service, slice, &e)
		}
	}
	return list, name, true
}

// oneTarget passes on a record for each port that is open at any of the addresses, which
// all have one name, and then the addresses.
func (t *visit) oneTarget(m *resolve.Match, list []opening, name resolve.HostName) told {
	var buf [2 * cluster.Few]uint16
	numbers, pairs := buf[:0], 0
	for i, x := range list {
		var count int
		numbers, count = m.Subset.Numbers(x.ports, numbers, t.mostSRV())
		if pairs += max(1, count); count == 0 {
			list[i].ports = nil
		}
	}
	if len(numbers) == 0 {
		return toldNothing
	}
	is := toldNothing
	for _, number := range numbers {
		if !t.srv(&is, Weight(pairs), number, &name) {
			return is
		}
	}
	list = slices.DeleteFunc(list, func(x opening) bool { return len(x.ports) == 0 })
	for i, x := range list {
		same := func(other opening) bool { return other.addr == x.addr }
		if i < cluster.Few && slices.ContainsFunc(list[:i], same) {
			continue
		}
		if !t.extra(&is, &name, x.addr, t.target) {
			return is
		}
	}
	return is
}

// externalTargets passes on records to the addresses of a Service and to the hostnames of
// its load balancers.
func (t *visit) externalTargets(m *resolve.Match) told {
	svc := m.Service.Service
	numbers, count := m.Subset.Numbers(svc.Ports, nil, t.mostSRV())
	weight := Weight((len(svc.ExternalIPs) + len(svc.ExternalHosts)) * max(1, count))
	name := m.Subset.NameOf(m.Service)
	is := toldNothing
	for _, number := range numbers {
		if len(svc.ExternalIPs) > 0 && !t.srv(&is, weight, number, &name) {
			return is
		}
	}
	for _, host := range svc.ExternalHosts {
		for _, number := range numbers {
			if !t.srvOut(&is, weight, number, host) {
				return is
			}
		}
	}
	for _, a := range svc.ExternalIPs {
		if len(numbers) > 0 && !t.extra(&is, &name, a, t.target) {
			return is
		}
	}
	return is
}

// endpoints passes on SRV records to endpoints and, if all of them fit, the addresses of
// their targets. It looks at no more endpoints than can fit.
func (t *visit) endpoints(m *resolve.Match) told {
	targets := cacheOf(m.Service).targetsOf(m.Service, &m.Subset)
	if targets.overlap && t.wire != nil {
		return toldUnable
	}
	e := endpointVisit{visit: t, m: m, targets: targets, cursor: resolve.Cursor{Slices: m.Service.Slices}}
	if targets.overlap {
		e.seen = map[targetRecord]struct{}{}
	}
	return e.tell()
}

// mostSRV returns a number of SRV records of which not all fit, so that no more ports need to be
// looked at.
func (t *visit) mostSRV() int { return max(0, t.free)/(recordHead+srvFixed+1) + 1 }

// Weight divides a hundred by the number of pairs of target and port, as stock CoreDNS
// does. A target without ports counts as one pair.
func Weight(pairs int) uint16 { return uint16(max(1, 100/max(1, pairs))) }

// endpointVisit passes on the records of one endpoint after another.
type endpointVisit struct {
	*visit
	m       *resolve.Match
	targets *targets
	cursor  resolve.Cursor
	seen    map[targetRecord]struct{} // nil if all records differ
	written [knownTargets]uint16      // offsets of the first targets in the message
}

// knownTargets is the number of targets whose offsets are remembered. More addresses do not
// fit into a reply of common size.
const knownTargets = 32

// targetRecord identifies a record of one owner, or an address of a target.
type targetRecord struct {
	target resolve.HostName
	port   uint16
	addr   netip.Addr
}

func (e *endpointVisit) first(k targetRecord) bool {
	if e.seen == nil {
		return true
	}
	_, dup := e.seen[k]
	e.seen[k] = struct{}{}
	return !dup
}

func (e *endpointVisit) tell() told {
	all := e.targets.records
	least := recordHead + srvFixed + e.m.Subset.MinSize(e.m.Service, len(e.zone.Wire()))
	count, surplus := all.count, all.count*least > max(0, e.free)
	if surplus {
		count = max(0, e.free)/least + 1
	}
	is, which := toldNothing, newSample(all.count, count, e.limits.Random)
	var buf [cluster.Few]uint16
	var last *cluster.Slice
	numbers, most := buf[:0], e.mostSRV()
	for i := range count {
		slice, at := e.cursor.At(all.at(which.next()))
		if slice != last {
			last = slice
			numbers, _ = e.m.Subset.Numbers(slice.Ports, buf[:0], most)
		}
		if !e.endpoint(&is, slice, at, numbers) {
			e.cut()
			return is
		}
		if i < knownTargets {
			e.written[i] = uint16(min(e.target, maxPointer+1))
		}
	}
	if surplus {
		e.cut()
		return is
	}
	for i := range e.targets.addresses.count {
		if !e.address(&is, i) {
			return is
		}
	}
	return is
}

// endpoint passes on the records to one endpoint of a slice, whose ports have these numbers. It
// reports false if there is no room.
func (e *endpointVisit) endpoint(is *told, slice *cluster.Slice, i int, numbers []uint16) bool {
	x := slice.Endpoints.At(i)
	name := e.m.Subset.EndpointName(e.m.Service, slice, &x)
	for _, number := range numbers {
		if e.first(targetRecord{target: name, port: number}) && !e.srv(is, Weight(e.targets.pairs), number, &name) {
			return false
		}
	}
	return true
}

// address passes on the address of the i-th target that brings one.
func (e *endpointVisit) address(is *told, i int) bool {
	slice, at := e.cursor.At(e.targets.addresses.at(i))
	x := slice.Endpoints.At(at)
	name := e.m.Subset.EndpointName(e.m.Service, slice, &x)
	target := 0
	if i < knownTargets && e.targets.same() {
		target = int(e.written[i])
	}
	return !e.first(targetRecord{target: name, addr: x.Addr}) || e.extra(is, &name, x.Addr, target)
}

// ptrRecords passes on the names of an address, as many as fit.
func (t *visit) ptrRecords(s *cluster.Snapshot, m *resolve.Match, qtype uint16) told {
	if qtype != dns.TypePTR {
		return toldNothing
	}
	var buf [4]resolve.HostName
	names, whole := t.view.NamesOf(s, m, max(0, t.free)/minPTR, buf[:0])
	if len(names) == 0 {
		return toldNothing
	}
	is, spelled := toldSome, spelling{zone: t.view.Primary(m.Subset.Outside)}
	for i := range names {
		if !t.ptr(&is, &names[i], &spelled) {
			return is
		}
	}
	if !whole {
		t.cut()
	}
	return is
}

// minPTR is the least size of a PTR record: two labels and a compression pointer are all of
// its name that cannot be shared.
const minPTR = recordHead + 2 + 2 + pointerSize

// nameServers passes on the NS RRset of a zone and the addresses of its targets. In a
// reverse zone the targets are in the primary origin, because they exist only there.
func (t *visit) nameServers(s *cluster.Snapshot, m *resolve.Match) told {
	if t.wire != nil {
		return toldUnable
	}
	origin := t.records.origin()
	if t.zone.Reverse() && !m.Subset.Outside {
		origin = originText(t.view.Primary(false))
	}
	servers := t.servers(s, m)
	names := make([]resolve.HostName, len(servers))
	for i := range servers {
		names[i] = servers[i].Name
	}
	for _, name := range cluster.Distinct(names) {
		t.records.ns(name.Text(origin))
	}
	for i := range servers {
		if a := servers[i].Addr; a.IsValid() {
			t.records.address(servers[i].Name.Text(origin), a)
		}
	}
	return toldSome
}

func (t *visit) serverAddresses(s *cluster.Snapshot, m *resolve.Match, qtype uint16) told {
	if t.wire != nil {
		return toldUnable
	}
	var octets []byte
	for _, server := range t.servers(s, m) {
		if server.Addr.IsValid() {
			octets = packOnce(octets, server.Addr, qtype)
		}
	}
	return t.packed(qtype, octets)
}

// servers returns as many name servers as may fit.
func (t *visit) servers(s *cluster.Snapshot, m *resolve.Match) []resolve.Server {
	limit := max(0, t.free) / recordHead
	list := t.view.Servers(s, m, t.zone.ClusterSet, limit+1)
	if len(list) > limit {
		t.cut()
	}
	return list
}

// The functions below pass single records to the sink.

func (t *visit) negative(r resolve.Result) bool {
	if t.wire != nil {
		t.wire.negative(r)
	} else {
		t.records.negative(r)
	}
	return true
}

func (t *visit) success() bool {
	if t.wire != nil {
		return t.wire.success()
	}
	t.records.answer.Result = resolve.Success
	return true
}

// cut records that records were left out.
func (t *visit) cut() {
	if t.wire != nil {
		t.wire.out.Truncated = true
	} else {
		t.records.answer.Truncated = true
	}
}

func (t *visit) soa() told {
	if t.wire != nil {
		t.wire.soaAnswer()
	} else {
		t.records.soaAnswer()
	}
	return toldSome
}

// version passes on dns-version (Kubernetes DNS specification 2.2).
func (t *visit) version() told {
	if t.wire != nil {
		return toldUnable
	}
	t.records.txt(schemaVersion, schemaVersionTTL)
	return toldSome
}

// record passes on a record of a published name, if it fits.
func (t *visit) record(is *told, r cluster.Record) bool {
	if t.wire != nil {
		return t.took(is, t.wire.record(r, t.free))
	}
	return t.took(is, t.records.record(r, t.free))
}

// srv passes on an SRV record to one of our names, if it fits.
func (t *visit) srv(is *told, weight, port uint16, target *resolve.HostName) bool {
	var size int
	if t.wire != nil {
		t.target = len(t.wire.msg) + recordHead + srvFixed
		size = t.wire.srv(weight, port, target, t.free)
	} else {
		size = t.records.srv(weight, port, target.Text(t.records.origin()), t.free)
	}
	return t.took(is, size)
}

// srvOut passes on an SRV record to a name whose addresses others know.
func (t *visit) srvOut(is *told, weight, port uint16, target string) bool {
	if t.wire != nil {
		*is = toldUnable
		return false
	}
	return t.took(is, t.records.srvOut(weight, port, target, t.free))
}

// ptr passes on a PTR record, if it fits.
func (t *visit) ptr(is *told, target *resolve.HostName, spelled *spelling) bool {
	spelled.at = t.limits.Size - t.limits.Reserved - t.free + recordHead
	if t.wire != nil {
		return t.took(is, t.wire.ptr(target, spelled, t.free))
	}
	return t.took(is, t.records.ptr(target, spelled, t.free))
}

// extra passes on an address of a target, for the additional section. The sockets' message
// has the target at the offset, or at an unknown place if that is 0.
func (t *visit) extra(is *told, target *resolve.HostName, a netip.Addr, at int) bool {
	var size int
	switch {
	case t.limits.Bare:
		return true
	case t.wire != nil:
		size = t.wire.extra(target, a, at, t.free)
		if size == noRoom && t.limits.Size >= dns.MaxMsgSize {
			size = notTaken // the handler leaves it out without the TC bit
		}
	case t.limits.Size >= dns.MaxMsgSize:
		return t.extraIfRoom(is, target, a)
	default:
		size = t.records.extra(target.Text(t.records.origin()), a, t.free)
	}
	return t.took(is, size)
}

// extraIfRoom passes on an address record in a message of the largest size. If the record
// does not fit, it is left out without the TC bit: the answer itself is complete (RFC 2181
// 9), and over TCP resolvers take TC for a failure, since there is no other way to ask.
func (t *visit) extraIfRoom(is *told, target *resolve.HostName, a netip.Addr) bool {
	var buf [dnsname.MaxWire]byte
	own, _ := target.AppendEndpoint(buf[:0])
	if t.free -= len(own); t.free < recordHead+addressSize(addressType(a)) {
		return false
	}
	return t.took(is, t.records.extra(target.Text(t.records.origin()), a, t.free))
}

// took handles the result of a sink for a record: its size, 0 for a record that no message
// can have, noRoom or notTaken.
func (t *visit) took(is *told, size int) bool {
	switch size {
	case noRoom:
		t.cut()
		return false
	case notTaken:
		*is = toldUnable
		return false
	case 0:
		return true
	}
	*is = toldSome
	t.free -= size
	return true
}

const (
	noRoom   = -1 // the record does not fit
	notTaken = -2 // the sink cannot make it
)
