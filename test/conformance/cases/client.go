package cases

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

// queryTimeout is the suite's dig option +time=10. There is no second try, because nothing
// gets lost on one machine.
const queryTimeout = 10 * time.Second

// Client asks like dig in the client's Pod, over connections that Dial makes to the server,
// over "udp" or "tcp".
type Client struct {
	Dial func(ctx context.Context, network string) (net.Conn, error)
}

// Ask sends one query over "udp" or "tcp" and returns its reply. A reply that does not
// belong to the question is an error.
func (c Client) Ask(ctx context.Context, network, qname string, qtype uint16) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := c.Dial(ctx, network)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	query := digQuery(qname, qtype)
	exchange := &dns.Client{Timeout: queryTimeout}
	reply, _, err := exchange.ExchangeWithConnContext(ctx, query, &dns.Conn{Conn: conn})
	if err != nil {
		return nil, err
	}
	return reply, belongs(reply, query)
}

// digQuery returns the message that dig sends by default: with EDNS and a cookie, and
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

// belongs returns nil if dig would accept the reply without a warning or a second query.
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

// Ask asks over "udp" or "tcp", and returns an error that says how the reply differs from
// the case's.
func (c *Case) Ask(ctx context.Context, client Client, network string) error {
	reply, err := c.exchange(ctx, client, network)
	if err != nil {
		return err
	}
	return c.compare(reply)
}

func (c *Case) exchange(ctx context.Context, client Client, network string) (*dns.Msg, error) {
	if c.IsTransfer() {
		return client.transfer(ctx, c.WireName())
	}
	return client.Ask(ctx, network, c.WireName(), dns.StringToType[c.Qtype])
}

// Networks returns the networks to ask a case over: a zone is transferred over TCP only.
func (c *Case) Networks() []string {
	if c.IsTransfer() {
		return []string{"tcp"}
	}
	return []string{"udp", "tcp"}
}

// AskGone checks that a name no longer exists.
func (c *Case) AskGone(ctx context.Context, client Client, network string) error {
	reply, err := client.Ask(ctx, network, c.WireName(), dns.StringToType[c.Qtype])
	if err == nil && reply.Rcode != dns.RcodeNameError {
		err = fmt.Errorf("%s after its deletion has status %s, want NXDOMAIN",
			c.WireName(), dns.RcodeToString[reply.Rcode])
	}
	return err
}
