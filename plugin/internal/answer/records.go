package answer

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Timers of the SOA record (RFC 1035 3.3.13), in seconds. They are those of stock CoreDNS;
// secondaries learn of changes by NOTIFY.
const (
	soaRefresh = 7200
	soaRetry   = 1800
	soaExpire  = 86400
	soaMaxTTL  = 300
)

// schemaVersion is the implemented version of the Kubernetes DNS specification, and its TTL
// (section 2.2 of the specification).
const (
	schemaVersion    = "1.1.0"
	schemaVersionTTL = 28800
)

// recordSink makes records in memory of their own, because plugins may change them.
type recordSink struct {
	view   *resolve.View
	name   *dnsname.Name // the owner
	zone   *resolve.Origin
	serial uint32
	answer Answer
}

// origin returns the zone's origin as the client spelled it.
func (b *recordSink) origin() string { return b.zone.Spelled(b.name) }

// free returns how many octets there are for the records of a name, after its aliases.
// Names are compressed (RFC 1035 4.1.4) only if room is short.
func (b *recordSink) free(l Limits) int {
	used := headerSize + len(b.name.String()) + 1 + questionTail
	if len(b.answer.Records) > 0 {
		m := dns.Msg{Answer: b.answer.Records, Compress: true}
		m.Question = []dns.Question{{Name: b.answer.Records[0].Header().Name}}
		used = m.Len()
	}
	return l.Size - l.Reserved - used
}

func header(owner string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

func (b *recordSink) header(rrtype uint16) dns.RR_Header {
	return header(b.name.String(), rrtype, b.view.TTL)
}

func (b *recordSink) add(rr dns.RR) { b.answer.Records = append(b.answer.Records, rr) }

func (b *recordSink) alias(target *dnsname.Name) {
	b.add(CNAME(b.name.String(), target.String(), b.view.TTL))
}

// closed reports whether a chain of aliases must not be followed to target, because it
// would form a loop or is too long. The aliases so far are then the answer.
func (b *recordSink) closed(target string) bool {
	for _, rr := range b.answer.Records {
		if strings.EqualFold(rr.Header().Name, target) {
			return true
		}
	}
	return len(b.answer.Records) > resolve.MaxChain
}

// negative makes a negative answer (RFC 2308 3) with a single allocation.
func (b *recordSink) negative(r resolve.Result) {
	piece := &struct {
		soa     dns.SOA
		section [1]dns.RR
	}{soa: b.makeSOA()}
	piece.section[0] = &piece.soa
	b.answer.Result, b.answer.Authority = r, piece.section[:]
}

func (b *recordSink) soaAnswer() {
	soa := b.makeSOA()
	b.add(&soa)
}

func (b *recordSink) makeSOA() dns.SOA {
	origin := b.origin()
	ns, mbox := b.view.SOANames(b.zone, origin)
	ttl := b.view.TTL
	if !b.view.LongSOA {
		ttl = min(ttl, soaMaxTTL)
	}
	return dns.SOA{
		Hdr: header(origin, dns.TypeSOA, ttl), Ns: ns, Mbox: mbox, Serial: b.serial,
		Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: b.view.TTL,
	}
}

// SOA returns the SOA record of an origin, whose name is spelled like this.
func SOA(v *resolve.View, s *cluster.Snapshot, o resolve.Origin, spelled string) dns.RR {
	n, err := dnsname.Parse(spelled)
	if err != nil {
		return nil // cannot happen
	}
	b := recordSink{view: v, name: &n, zone: &o, serial: s.Serial()}
	soa := b.makeSOA()
	return &soa
}

func (b *recordSink) txt(text string, ttl uint32) {
	b.add(&dns.TXT{Hdr: header(b.name.String(), dns.TypeTXT, ttl), Txt: []string{text}})
}

// record makes a record from its data and returns its size, unless that is more than free.
func (b *recordSink) record(r cluster.Record, free int) int {
	size := recordHead + len(r.Data)
	if size > free {
		return noRoom
	}
	hdr := b.header(r.Type)
	hdr.Rdlength = uint16(len(r.Data))
	rr, _, err := dns.UnpackRRWithHeader(hdr, []byte(r.Data), 0)
	if err != nil {
		return 0 // no data of this type
	}
	b.add(rr)
	return size
}

func (b *recordSink) ns(target string) { b.add(NS(b.name.String(), target, b.view.TTL)) }

// ptr makes a PTR record and returns its size with a compressed name, unless that is more than free.
func (b *recordSink) ptr(target *resolve.HostName, spelled *spelling, free int) int {
	size := recordHead + spelled.size(target)
	if size > free {
		return noRoom
	}
	b.add(&dns.PTR{Hdr: b.header(dns.TypePTR), Ptr: target.Text(originText(spelled.zone))})
	return size
}

// originText returns the text of an origin, or the root if it is nil.
func originText(o *resolve.Origin) string {
	if o == nil {
		return "."
	}
	return o.String()
}

// srv makes an SRV record and returns its size, unless that is more than free.
func (b *recordSink) srv(weight, port uint16, target string, free int) int {
	size := recordHead + srvFixed + len(target) + 1
	switch {
	case dnsname.TooLong(target):
		return 0
	case size > free:
		return noRoom
	}
	b.add(SRV(b.name.String(), weight, port, target, b.view.TTL))
	return size
}

// srvOut does the same for a target whose addresses others know.
func (b *recordSink) srvOut(weight, port uint16, target string, free int) int {
	size := b.srv(weight, port, target, free)
	if size > 0 && !slices.Contains(b.answer.Hosts, target) {
		b.answer.Hosts = append(b.answer.Hosts, target)
	}
	return size
}

// extra makes an address record for the target of another record and returns its size.
func (b *recordSink) extra(owner string, a netip.Addr, free int) int {
	size := recordHead + addressSize(addressType(a))
	switch {
	case dnsname.TooLong(owner):
		return 0
	case size > free:
		return noRoom
	}
	b.address(owner, a)
	return size
}

func (b *recordSink) address(owner string, a netip.Addr) {
	b.answer.Extra = append(b.answer.Extra, Address(owner, a, b.view.TTL))
}

// Address returns an A or AAAA record.
func Address(owner string, a netip.Addr, ttl uint32) dns.RR {
	if a.Is4() {
		return &dns.A{Hdr: header(owner, dns.TypeA, ttl), A: a.AsSlice()}
	}
	return &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, ttl), AAAA: a.AsSlice()}
}

// NS returns an NS record.
func NS(owner, target string, ttl uint32) dns.RR {
	return &dns.NS{Hdr: header(owner, dns.TypeNS, ttl), Ns: target}
}

// CNAME returns a CNAME record.
func CNAME(owner, target string, ttl uint32) dns.RR {
	return &dns.CNAME{Hdr: header(owner, dns.TypeCNAME, ttl), Target: target}
}

// SRV returns an SRV record. All have the same priority.
func SRV(owner string, weight, port uint16, target string, ttl uint32) dns.RR {
	return &dns.SRV{Hdr: header(owner, dns.TypeSRV, ttl), Weight: weight, Port: port, Target: target}
}

// addresses makes records of the addresses in a sample of packed ones, each of the same size.
func (b *recordSink) addresses(qtype uint16, packed []byte, size int, which *sample) {
	hdr, records := b.header(qtype), b.answer.Records
	if qtype == dns.TypeA && which.count == 1 && len(packed) == size && records == nil {
		b.answer.Records = addressRecord(hdr, [4]byte(packed))
		return
	}
	octets := which.pick(packed, size)
	records = slices.Grow(records, which.count)
	if qtype == dns.TypeA {
		made := make([]dns.A, which.count)
		for i := range made {
			made[i] = dns.A{Hdr: hdr, A: octets[i*size : (i+1)*size : (i+1)*size]}
			records = append(records, &made[i])
		}
	} else {
		made := make([]dns.AAAA, which.count)
		for i := range made {
			made[i] = dns.AAAA{Hdr: hdr, AAAA: octets[i*size : (i+1)*size : (i+1)*size]}
			records = append(records, &made[i])
		}
	}
	b.answer.Records = records
}

// pick returns copies of the items in a sample, each of the same size.
func (s *sample) pick(packed []byte, size int) []byte {
	if s.whole() {
		return bytes.Clone(packed)
	}
	some := make([]byte, 0, s.count*size)
	for range s.count {
		at := s.next() * size
		some = append(some, packed[at:at+size]...)
	}
	return some
}

// addressRecord returns an answer section with one A record, the most common one, with a
// single allocation.
func addressRecord(hdr dns.RR_Header, octets [4]byte) []dns.RR {
	piece := &struct {
		a       dns.A
		octets  [4]byte
		section [1]dns.RR
	}{a: dns.A{Hdr: hdr}, octets: octets}
	piece.a.A = piece.octets[:]
	piece.section[0] = &piece.a
	return piece.section[:]
}
