package zone

import (
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Result is what came of a look-up.
type Result uint8

// The results of a look-up.
const (
	OutOfZone Result = iota // the name is in none of the view's origins
	Success                 // the RRset exists
	NoData                  // the name exists, the type does not (RFC 2308 2.2)
	NXDomain                // the name does not exist (RFC 2308 2.1)
	NotReady                // the snapshot does not hold a whole cluster yet
	Delegate                // an alias leads out of our zones, to Answer.Target
)

// Answer is the answer to one question, as data. Records and Authority are
// filled as in a response; Authority holds the SOA record of a negative answer.
type Answer struct {
	Result    Result
	Kind      NameKind
	Records   []dns.RR
	Authority []dns.RR
	Extra     []dns.RR
	Target    string
	Truncated bool // records are left out, for which there is no room
}

// Timers of the SOA record (RFC 1035 3.3.13), in seconds. Secondaries are told of
// changes; the values are those that stock CoreDNS gives.
const (
	soaRefresh = 7200
	soaRetry   = 1800
	soaExpire  = 86400
	soaMaxTTL  = 300
)

// schemaVersion is the version of the Kubernetes DNS specification that is
// served, and its TTL, both from the specification's section 2.2.
const (
	schemaVersion    = "1.1.0"
	schemaVersionTTL = 28800
)

// The labels below an origin of the names in its SOA record.
const (
	nsLabels  = "ns.dns"
	mboxLabel = "hostmaster"
)

// soa is the SOA record of an origin.
func (v *View) soa(origin string, serial uint32) dns.RR {
	soa := v.makeSOA(origin, dnsname.Below(origin, nsLabels), dnsname.Below(origin, mboxLabel), serial)
	return &soa
}

func (v *View) makeSOA(origin, ns, mbox string, serial uint32) dns.SOA {
	return dns.SOA{
		Hdr:     header(origin, dns.TypeSOA, min(v.TTL, soaMaxTTL)),
		Ns:      ns,
		Mbox:    mbox,
		Serial:  serial,
		Refresh: soaRefresh,
		Retry:   soaRetry,
		Expire:  soaExpire,
		Minttl:  v.TTL,
	}
}

// denial is the authority section of a negative answer about a name of an origin. It is
// a copy of its own, in one piece of memory: plugins may change what they are given.
func (v *View) denial(o *Origin, n *dnsname.Name, serial uint32) []dns.RR {
	origin := o.Spelled(n)
	ns, mbox := o.ns, o.mbox
	if origin != o.String() {
		ns, mbox = dnsname.Below(origin, nsLabels), dnsname.Below(origin, mboxLabel)
	}
	piece := &struct {
		soa     dns.SOA
		section [1]dns.RR
	}{soa: v.makeSOA(origin, ns, mbox, serial)}
	piece.section[0] = &piece.soa
	return piece.section[:]
}

func header(owner string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}
