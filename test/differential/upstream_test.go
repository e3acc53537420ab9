package differential

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const (
	upstreamZone = "testdata/upstream.db"
	// bigName has more addresses than fit into an answer over UDP.
	bigName    = "big.example.org."
	bigAnswers = 100
	// Names below these zones have no answer but the code.
	refusedZone = "refused.example."
	failingZone = "servfail.example."
	// maxLinks is how many aliases the upstream follows.
	maxLinks = 8
)

// upstream is the server outside the cluster.
type upstream struct {
	soa     dns.RR
	records map[string][]dns.RR // by owner, in lower case
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{records: map[string][]dns.RR{}}
	file, err := os.Open(upstreamZone)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parser := dns.NewZoneParser(file, ".", upstreamZone)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		u.add(rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	for i := range bigAnswers {
		hdr := dns.RR_Header{Name: bigName, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300}
		u.add(&dns.A{Hdr: hdr, A: netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", 100+i)).AsSlice()})
	}
	return u
}

func (u *upstream) add(rr dns.RR) {
	owner := strings.ToLower(rr.Header().Name)
	u.records[owner] = append(u.records[owner], rr)
	if rr.Header().Rrtype == dns.TypeSOA {
		u.soa = rr
	}
}

// ServeDNS implements dns.Handler.
func (u *upstream) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.RecursionAvailable = true
	question := query.Question[0]
	switch name := strings.ToLower(question.Name); {
	case dns.IsSubDomain(refusedZone, name):
		reply.Rcode = dns.RcodeRefused
	case dns.IsSubDomain(failingZone, name):
		reply.Rcode = dns.RcodeServerFailure
	default:
		u.fill(reply, name, question.Qtype)
	}
	u.fit(w, query, reply)
	_ = w.WriteMsg(reply) // the server under test has gone away
}

// fill fills in the answer like a resolver: the aliases and the records of the last name.
func (u *upstream) fill(reply *dns.Msg, name string, qtype uint16) {
	for range maxLinks {
		rrs, exists := u.records[name]
		next := ""
		for _, rr := range rrs {
			if cname, ok := rr.(*dns.CNAME); ok && qtype != dns.TypeCNAME {
				next = cname.Target
				reply.Answer = append(reply.Answer, rr)
			} else if rr.Header().Rrtype == qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		if next != "" {
			name = next
			continue
		}
		if !exists {
			reply.Rcode = dns.RcodeNameError
		}
		if n := len(reply.Answer); n == 0 || reply.Answer[n-1].Header().Rrtype != qtype {
			reply.Ns = []dns.RR{u.soa}
		}
		return
	}
}

// fit truncates a reply to the client's size.
func (u *upstream) fit(w dns.ResponseWriter, query, reply *dns.Msg) {
	size := dns.MinMsgSize
	if opt := query.IsEdns0(); opt != nil {
		size = max(size, int(opt.UDPSize()))
		reply.SetEdns0(dns.DefaultMsgSize, opt.Do())
	}
	if w.RemoteAddr().Network() == "udp" {
		reply.Truncate(size)
	}
}
