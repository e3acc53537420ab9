package zone

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// node is a name that exists. It adds the RRset of a type to an answer, or
// nothing if it has none.
type node interface {
	rrset(b *builder, qtype uint16)
}

// builder makes records for one name: the owner and the origin as the client
// spelled them.
type builder struct {
	view     *View
	snapshot *cluster.Snapshot
	owner    string
	origin   string
	answer   *Answer
	room     Room
}

// finish adds what the node has and decides the result.
func (b *builder) finish(found node, qtype uint16) {
	before := len(b.answer.Records)
	if found != nil {
		b.ask(found, qtype)
	}
	switch {
	case len(b.answer.Records) > before:
		b.answer.Result = Success
		return
	case found == nil:
		b.answer.Result = NXDomain
	default:
		b.answer.Result = NoData
	}
	b.answer.Authority = []dns.RR{b.view.soa(b.origin, b.snapshot.Serial())}
}

// anyTypes is the order in which an ANY question looks for one RRset to answer
// with; RFC 8482 4.1 allows a single one.
var anyTypes = []uint16{dns.TypeSOA, dns.TypeA, dns.TypeAAAA, dns.TypePTR, dns.TypeTXT}

func (b *builder) ask(found node, qtype uint16) {
	if qtype != dns.TypeANY {
		found.rrset(b, qtype)
		return
	}
	for _, t := range anyTypes {
		if found.rrset(b, t); len(b.answer.Records) > 0 {
			return
		}
	}
}

func (b *builder) add(rr dns.RR) { b.answer.Records = append(b.answer.Records, rr) }

func (b *builder) extra(rr dns.RR) { b.answer.Extra = append(b.answer.Extra, rr) }

func (b *builder) header(rrtype uint16) dns.RR_Header {
	return header(b.owner, rrtype, b.view.TTL)
}

// address is an A or AAAA record.
func (b *builder) address(owner string, a netip.Addr) dns.RR {
	if a.Is4() {
		return &dns.A{Hdr: header(owner, dns.TypeA, b.view.TTL), A: a.AsSlice()}
	}
	return &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, b.view.TTL), AAAA: a.AsSlice()}
}

// addressType is the type of an address's record.
func addressType(a netip.Addr) uint16 {
	if a.Is4() {
		return dns.TypeA
	}
	return dns.TypeAAAA
}

// bare is a name with names below it and no RRset of its own.
type bare struct{}

func (bare) rrset(*builder, uint16) {}

// text is dns-version (Kubernetes DNS specification 2.2).
type text struct{}

func (text) rrset(b *builder, qtype uint16) {
	if qtype == dns.TypeTXT {
		b.add(&dns.TXT{Hdr: header(b.owner, dns.TypeTXT, schemaVersionTTL), Txt: []string{schemaVersion}})
	}
}

// alias is an ExternalName Service (Kubernetes DNS specification 2.5).
type alias struct{ target *dnsname.Name }

// rrset is empty: an alias is followed before any type is asked for.
func (alias) rrset(*builder, uint16) {}

// aliasTo is nil for a target that is no domain name.
func aliasTo(target string) node {
	n, err := dnsname.Parse(target)
	if target == "" || err != nil {
		return nil
	}
	return alias{&n}
}

// apex is the top node of a zone. That of a reverse zone may be the name of an
// address too: a network that does not end between two labels is made of such zones.
type apex struct{ reverse node }

func (a apex) rrset(b *builder, qtype uint16) {
	switch {
	case qtype == dns.TypeSOA:
		b.add(b.view.soa(b.origin, b.snapshot.Serial()))
	case qtype == dns.TypeNS:
		b.nameservers()
	case a.reverse != nil:
		a.reverse.rrset(b, qtype)
	}
}

// nameserver is ns.dns, the name of this server where no Service gives it another.
type nameserver struct{}

func (nameserver) rrset(b *builder, qtype uint16) {
	var list []host
	for _, s := range b.servers(b.origin) {
		if s.addr.IsValid() {
			list = append(list, host{addr: s.addr})
		}
	}
	hosts{list: list}.rrset(b, qtype)
}
