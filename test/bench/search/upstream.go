package search

import (
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// upstream is a slow server that has every name below example.com.
type upstream struct {
	address string
	delay   time.Duration
	server  *dns.Server
}

func startUpstream(delay time.Duration) (*upstream, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{address: conn.LocalAddr().String(), delay: delay}
	u.server = &dns.Server{PacketConn: conn, Handler: u}
	go u.server.ActivateAndServe() //nolint:errcheck // it ends with the shutdown, or nothing is answered
	return u, nil
}

func (u *upstream) stop() {
	u.server.Shutdown() //nolint:errcheck // nobody asks any more
}

// ServeDNS implements dns.Handler.
func (u *upstream) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	q := query.Question[0]
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 300}
	switch {
	case !strings.HasSuffix(q.Name, ".example.com."):
		reply.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		reply.Answer = []dns.RR{&dns.A{Hdr: header, A: net.IPv4(192, 0, 2, 1)}}
	case q.Qtype == dns.TypeAAAA:
		reply.Answer = []dns.RR{&dns.AAAA{Hdr: header, AAAA: net.ParseIP("2001:db8::1")}}
	}
	time.AfterFunc(u.delay, func() {
		w.WriteMsg(reply) //nolint:errcheck // the server under test has gone away
	})
}
