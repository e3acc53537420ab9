package main

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// upstream is the server for names outside the cluster.
type upstream struct {
	address string
	oracle  *oracle.Oracle
	servers []*dns.Server
}

func startUpstream(o *oracle.Oracle) (*upstream, error) {
	listener, packets, err := freeport.Listen("127.0.0.1")
	if err != nil {
		return nil, err
	}
	u := &upstream{address: listener.Addr().String(), oracle: o}
	for _, s := range []*dns.Server{{Listener: listener}, {PacketConn: packets}} {
		s.Handler = u
		u.servers = append(u.servers, s)
		go s.ActivateAndServe() //nolint:errcheck // it ends with the shutdown, or nothing is answered
	}
	return u, nil
}

func (u *upstream) stop() {
	for _, s := range u.servers {
		s.Shutdown() //nolint:errcheck // nobody asks any more
	}
}

// ServeDNS implements dns.Handler.
func (u *upstream) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	question := query.Question[0]
	qname := strings.ToLower(question.Name)
	answer := u.oracle.Lookup(qname, question.Qtype)
	reply.Rcode = answer.Rcode
	reply.Answer = u.oracle.Records(qname, question.Qtype)
	if len(reply.Answer) == 0 {
		reply.Ns = u.oracle.Records(oracle.Outside, dns.TypeSOA)
	}
	if opt := query.IsEdns0(); opt != nil {
		reply.SetEdns0(dns.DefaultMsgSize, opt.Do())
	}
	w.WriteMsg(reply) //nolint:errcheck // the server under test has gone away
}
