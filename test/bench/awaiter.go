package main

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
)

// event is a change, with the name whose only address shows that a server has seen it.
type event struct{ qname, address string }

// awaiter asks one server through one socket until it has seen an event.
type awaiter struct {
	client dns.Client
	conn   *dns.Conn
}

func newAwaiter(address string) (*awaiter, error) {
	a := &awaiter{client: dns.Client{Timeout: askTimeout}}
	var err error
	a.conn, err = a.client.Dial(address)
	return a, err
}

func (a *awaiter) close() { a.conn.Close() }

// await repeats the question until the answer is the right one. An interval of 0 means no
// pause. Until then any other answer is allowed, or none.
func (a *awaiter) await(ctx context.Context, timeout, interval time.Duration, e event) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	last := ""
	for ctx.Err() == nil {
		if last = a.ask(e.qname); last == e.address {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
	return fmt.Errorf("%s: last answer %s, want %s: %w", e.qname, last, e.address, ctx.Err())
}

// ask returns the only address of a name, or a text about the answer if there is not
// exactly one.
func (a *awaiter) ask(qname string) string {
	query := new(dns.Msg).SetQuestion(qname, dns.TypeA)
	reply, _, err := a.client.ExchangeWithConn(query, a.conn)
	if err != nil {
		return err.Error()
	}
	answer := oracle.Answer{Rcode: reply.Rcode, Data: oracle.Data(reply.Answer)}
	if len(answer.Data) == 1 {
		return answer.Data[0]
	}
	return show(answer)
}
