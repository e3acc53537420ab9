package published

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// answer returns the answer that ours must give, in lower case. Only A, AAAA and ANY of an alias
// outside say more than that the alias is followed.
func (s *scene) answer(q question) *reply {
	name := strings.ToLower(q.name)
	zone := zoneOf(name)
	switch {
	case q.qtype == dns.TypeAXFR:
		return &reply{rcode: dns.RcodeRefused}
	case name == zone:
		return s.atApex(zone, q.qtype)
	case within(name, s.server+"."+zone):
		return s.atServer(name, zone, q.qtype)
	}
	has, exists := s.find(name, zone)
	return s.from(name, zone, q.qtype, has, exists)
}

// find finds what a name has, by itself or from a wildcard (RFC 4592).
func (s *scene) find(name, zone string) (has *records, exists bool) {
	if has = s.names[name]; has != nil || s.above[name] {
		return has, true
	}
	for encloser := name; encloser != zone; {
		_, encloser, _ = strings.Cut(encloser, ".")
		if s.names[encloser] != nil || s.above[encloser] || encloser == zone {
			has, exists = s.names["*."+encloser]
			return has, exists || s.above["*."+encloser]
		}
	}
	return nil, false
}

// from returns the answer of a name with records, without, or that does not exist.
func (s *scene) from(name, zone string, qtype uint16, has *records, exists bool) *reply {
	switch {
	case !exists && s.falls:
		return &reply{aa: true, answer: []string{text(name, behindTTL, `TXT "next"`)}}
	case !exists:
		return s.negative(zone, dns.RcodeNameError)
	case has == nil:
		return s.negative(zone, dns.RcodeSuccess)
	}
	rrset := s.rrset(name, qtype, has)
	if has.alias != "" && qtype != dns.TypeCNAME && qtype != dns.TypeANY {
		return s.follow(zone, qtype, has.alias, rrset)
	}
	if len(rrset) == 0 {
		return s.negative(zone, dns.RcodeSuccess)
	}
	return &reply{aa: true, answer: rrset}
}

// behindTTL is that of the server behind, localTTL that of the plugin local.
const (
	behindTTL = 60
	localTTL  = 604800
)

// follow returns the answer with an alias and what it leads to: a name of the zone, or localhost.
func (s *scene) follow(zone string, qtype uint16, alias string, rrset []string) *reply {
	if alias != "localhost." {
		has, exists := s.find(alias, zone)
		r := s.from(alias, zone, qtype, has, exists)
		r.answer = append(rrset, r.answer...)
		return r
	}
	r := &reply{aa: true, answer: rrset, open: true}
	switch qtype {
	case dns.TypeA:
		r.answer = append(r.answer, text(alias, localTTL, "A 127.0.0.1"))
	case dns.TypeAAAA:
		r.answer = append(r.answer, text(alias, localTTL, "AAAA ::1"))
	case dns.TypeNS:
		r.answer = append(r.answer, text(alias, localTTL, "NS localhost."))
	case dns.TypeSOA:
		r.answer = append(r.answer, soaText(alias+"\t604800\tIN\tSOA localhost. root.localhost. 0 0 0 0 604800"))
	}
	return r
}

// rrset returns the records of a type. Of any type it returns those of the first that there is.
func (s *scene) rrset(name string, qtype uint16, has *records) (rrs []string) {
	if has.alias != "" {
		return []string{text(name, s.ttl, "CNAME "+has.alias)}
	}
	if qtype == dns.TypeA || qtype == dns.TypeANY {
		rrs = s.addresses(name, has.addrs, netip.Addr.Is4)
	}
	if qtype == dns.TypeAAAA || qtype == dns.TypeANY && len(rrs) == 0 {
		rrs = s.addresses(name, has.addrs, netip.Addr.Is6)
	}
	if qtype == dns.TypeTXT || qtype == dns.TypeANY && len(rrs) == 0 {
		for _, t := range has.texts {
			rrs = append(rrs, text(name, s.ttl, "TXT "+quoted(t)))
		}
	}
	return rrs
}

func (s *scene) addresses(name string, addrs []netip.Addr, of func(netip.Addr) bool) (rrs []string) {
	for _, a := range addrs {
		rrtype := "A "
		if a.Is6() {
			rrtype = "AAAA "
		}
		if rr := text(name, s.ttl, rrtype+a.String()); of(a) && !slices.Contains(rrs, rr) {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

// quoted returns a text as the strings of a TXT record, of up to 255 octets each.
func quoted(text string) string {
	var parts []string
	for len(text) > 255 {
		parts, text = append(parts, `"`+text[:255]+`"`), text[255:]
	}
	return strings.Join(append(parts, `"`+text+`"`), " ")
}

func (s *scene) atApex(zone string, qtype uint16) *reply {
	switch qtype {
	case dns.TypeSOA:
		return &reply{aa: true, answer: []string{s.soa(zone)}}
	case dns.TypeNS:
		r := &reply{aa: true}
		for _, server := range []string{s.server, s.second} {
			if server != "" {
				r.answer = append(r.answer, text(zone, s.ttl, "NS "+server+"."+zone))
				r.extra = append(r.extra, s.glue(server+"."+zone)...)
			}
		}
		return r
	case dns.TypeANY:
		return &reply{aa: true, answer: []string{s.soa(zone)}}
	}
	return s.from(zone, zone, qtype, s.names[zone], true)
}

// glue returns the addresses of a server.
func (s *scene) glue(name string) (rrs []string) {
	if has := s.names[name]; has != nil {
		rrs = append(s.rrset(name, dns.TypeA, has), s.rrset(name, dns.TypeAAAA, has)...)
	}
	return rrs
}

func (s *scene) atServer(name, zone string, qtype uint16) *reply {
	if name != s.server+"."+zone {
		return s.from(name, zone, qtype, nil, false)
	}
	return s.from(name, zone, qtype, s.names[name], true)
}

func (s *scene) negative(zone string, rcode int) *reply {
	return &reply{rcode: rcode, aa: true, ns: []string{s.soa(zone)}}
}

func (s *scene) soa(zone string) string {
	return soaText(text(zone, s.ttl, "SOA "+s.server+"."+zone+" hostmaster."+s.server+"."+zone+" 0 7200 1800 86400 "+number(s.ttl)))
}

// soaText returns a record as miekg/dns writes it.
func soaText(text string) string {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err) // the text is from above
	}
	return rr.String()
}
