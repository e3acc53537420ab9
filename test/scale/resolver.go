package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const askTimeout = 2 * time.Second

// resolver asks one server for A records, through one socket.
type resolver struct {
	client dns.Client
	conn   *dns.Conn
}

func newResolver(address string) (*resolver, error) {
	r := &resolver{client: dns.Client{Timeout: askTimeout}}
	var err error
	r.conn, err = r.client.Dial(address)
	return r, err
}

func (r *resolver) close() { r.conn.Close() }

// ask returns the addresses of a name in order, or the response code when it is
// not NOERROR: "10.96.0.1 10.96.0.2", "NXDOMAIN".
func (r *resolver) ask(qname string) (string, error) {
	question := new(dns.Msg).SetQuestion(qname, dns.TypeA)
	question.SetEdns0(dns.DefaultMsgSize, false) // room for the answer of a headless Service
	reply, _, err := r.client.ExchangeWithConn(question, r.conn)
	if err != nil {
		return "", err
	}
	return render(reply), nil
}

func render(reply *dns.Msg) string {
	if reply.Rcode != dns.RcodeSuccess {
		return dns.RcodeToString[reply.Rcode]
	}
	var found []string
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			found = append(found, a.A.String())
		}
	}
	return joinAddresses(found)
}

// joinAddresses brings a set of addresses into one order, as text.
func joinAddresses(all []string) string {
	slices.Sort(all)
	return strings.Join(all, " ")
}

// await asks in intervals until the answer is the wanted one. Meanwhile it may
// be any other, or none.
func (r *resolver) await(ctx context.Context, timeout, interval time.Duration, qname, want string) error {
	var last string
	err := poll(ctx, timeout, interval, func() (bool, error) {
		got, err := r.ask(qname)
		if err != nil {
			got = err.Error()
		}
		last = got
		return got == want, nil
	})
	if err != nil {
		return fmt.Errorf("%s: last answer %q, want %q: %w", qname, last, want, err)
	}
	return nil
}
