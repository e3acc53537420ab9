package differential

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// question is one query, with everything that a client may vary.
type question struct {
	name    string
	qtype   uint16
	class   uint16
	tcp     bool
	flags   queryFlags
	size    uint16 // of EDNS; 0 for none
	do      bool
	version uint8 // of EDNS
	options []dns.EDNS0
	client  netip.Addr // client, if that matters
}

// queryFlags are the bits of the header that a client chooses.
type queryFlags struct{ rd, ad, cd bool }

// ask returns a question in its most common form.
func ask(name string, qtype uint16) question {
	return question{name: name, qtype: qtype, class: dns.ClassINET, flags: queryFlags{rd: true}, size: 1232}
}

// about returns the same question about another name and type.
func (q question) about(name string, qtype uint16) question {
	q.name, q.qtype = name, qtype
	return q
}

// overTCP returns the question as a client repeats it after a truncated answer.
func (q question) overTCP() question {
	q.tcp = true
	return q
}

// pack returns the query's wire form. A name that cannot be packed is an error.
func (q question) pack(id uint16) ([]byte, error) {
	m := new(dns.Msg)
	m.Id = id
	m.RecursionDesired, m.AuthenticatedData, m.CheckingDisabled = q.flags.rd, q.flags.ad, q.flags.cd
	m.Question = []dns.Question{{Name: q.name, Qtype: q.qtype, Qclass: q.class}}
	if q.qtype == dns.TypeIXFR {
		m.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: q.name, Rrtype: dns.TypeSOA, Class: q.class}, Ns: ".", Mbox: "."}}
	}
	if q.size > 0 {
		opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: q.options}
		opt.SetUDPSize(q.size)
		opt.SetVersion(q.version)
		if q.do {
			opt.SetDo()
		}
		m.Extra = []dns.RR{opt}
	}
	return m.Pack()
}

func (q question) lower() string { return strings.ToLower(q.name) }

func (q question) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", q.name, dns.Class(q.class), dns.Type(q.qtype))
	network := "udp"
	if q.tcp {
		network = "tcp"
	}
	fmt.Fprintf(&b, " over %s, rd=%t ad=%t cd=%t", network, q.flags.rd, q.flags.ad, q.flags.cd)
	if q.size > 0 {
		fmt.Fprintf(&b, ", EDNS %d: size=%d do=%t options=%v", q.version, q.size, q.do, q.options)
	}
	if q.client.IsValid() {
		fmt.Fprintf(&b, ", from %s", q.client)
	}
	return b.String()
}
