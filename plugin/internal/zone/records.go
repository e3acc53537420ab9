package zone

import (
	"bytes"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// answer adds what there is at the place of a name to the aliases that lead there. What
// is asked for most has no node made for it.
func (v *View) answer(s *cluster.Snapshot, n *dnsname.Name, o *Origin, p place, a Answer, qtype uint16, room Room) Answer {
	switch {
	case p.kind == nowhere:
		a.Result, a.Authority = NXDomain, v.denial(o, n, s.Serial())
		return a
	case p.kind == atEmpty:
		a.Result, a.Authority = NoData, v.denial(o, n, s.Serial())
		return a
	case qtype == dns.TypeA || qtype == dns.TypeAAAA:
		var buf [maxLabelled * 16]byte
		packed, ok := p.packed(qtype, v.PodNames, buf[:0])
		switch {
		case !ok:
		case len(packed) == 0:
			a.Result, a.Authority = NoData, v.denial(o, n, s.Serial())
			return a
		default:
			a.Result = Success
			return a.withAddresses(header(n.String(), qtype, v.TTL), packed, room)
		}
	}
	return v.answerNode(s, n, o, p, a, qtype, room)
}

// answerNode asks the node of a place.
func (v *View) answerNode(s *cluster.Snapshot, n *dnsname.Name, o *Origin, p place, a Answer, qtype uint16, room Room) Answer {
	b := builder{view: v, snapshot: s, owner: n.String(), origin: o.Spelled(n), answer: &a, room: room}
	b.finish(v.node(s, &p), qtype)
	return a
}

// addressRecords appends a record for each of the addresses, which are packed one behind
// the other. The memory of records is nobody else's: plugins may change what they
// are given.
func addressRecords(records []dns.RR, hdr dns.RR_Header, packed []byte) []dns.RR {
	if hdr.Rrtype == dns.TypeA && len(packed) == 4 && records == nil {
		return addressRecord(hdr, [4]byte(packed))
	}
	octets, size := bytes.Clone(packed), addressSize(hdr.Rrtype)
	count := len(packed) / size
	records = slices.Grow(records, count)
	if hdr.Rrtype == dns.TypeA {
		made := make([]dns.A, count)
		for i := range made {
			made[i] = dns.A{Hdr: hdr, A: octets[i*size : (i+1)*size : (i+1)*size]}
			records = append(records, &made[i])
		}
		return records
	}
	made := make([]dns.AAAA, count)
	for i := range made {
		made[i] = dns.AAAA{Hdr: hdr, AAAA: octets[i*size : (i+1)*size : (i+1)*size]}
		records = append(records, &made[i])
	}
	return records
}

// addressRecord is the answer section of most answers, in one piece of memory.
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
