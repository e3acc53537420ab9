package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// queryTimeout is dig's +time=10 of the suite. There is no second try: nothing
// gets lost on a loopback device.
const queryTimeout = 10 * time.Second

// client asks as dig does in the client's pod.
type client struct {
	source netip.Addr
	server netip.Addr
	port   map[string]uint16 // by network: a server on port 0 has two
}

// ask sends one query over "udp" or "tcp" and returns the one reply. A reply
// that does not belong to the question is an error.
func (c client) ask(ctx context.Context, network, qname string, qtype uint16) (*dns.Msg, error) {
	query := digQuery(qname, qtype)
	exchange := &dns.Client{Net: network, Timeout: queryTimeout, Dialer: &net.Dialer{
		Timeout:   queryTimeout,
		LocalAddr: localAddr(network, c.source),
	}}
	address := netip.AddrPortFrom(c.server, c.port[network]).String()
	reply, _, err := exchange.ExchangeContext(ctx, query, address)
	if err != nil {
		return nil, err
	}
	return reply, belongs(reply, query)
}

// digQuery is the message that dig sends by default: with EDNS and a cookie, and
// with the AD bit.
func digQuery(qname string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion(qname, qtype)
	m.AuthenticatedData = true
	m.SetEdns0(dns.DefaultMsgSize, false)
	opt := m.IsEdns0()
	opt.SetUDPSize(1232)
	opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "24a5ac1b2c3d4e5f"})
	return m
}

// belongs says whether dig would take the reply without a warning or a second
// query.
func belongs(reply, query *dns.Msg) error {
	switch {
	case !reply.Response || reply.Opcode != query.Opcode || reply.Id != query.Id:
		return fmt.Errorf("not a reply to the query:\n%s", reply)
	case len(reply.Question) != 1 || reply.Question[0] != query.Question[0]:
		return fmt.Errorf("reply has another question: %v, want %v", reply.Question, query.Question)
	case reply.Truncated:
		return errors.New("reply is truncated")
	}
	return nil
}

func localAddr(network string, source netip.Addr) net.Addr {
	if network == "tcp" {
		return &net.TCPAddr{IP: source.AsSlice()}
	}
	return &net.UDPAddr{IP: source.AsSlice()}
}
