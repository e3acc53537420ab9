package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/bench/queries"
)

const (
	// checks is how many questions of each set are compared with the oracle.
	checks       = 100
	askTimeout   = 2 * time.Second
	checkEDNS    = 4096 // the size that dnsperf sends
	checkRetries = 3    // a datagram may get lost on a busy machine
)

// checkAnswers compares answers with the oracle, and returns how many were wrong or
// missing. It shows one of each.
func (b *bench) checkAnswers(ctx context.Context, name, address string, set queries.Set) int {
	asked := set.Pick(checks)
	var wrong, missing []string
	for _, q := range asked {
		want := b.oracle.Lookup(q.Name, q.Type)
		got, err := ask(ctx, address, q)
		switch {
		case err != nil:
			missing = append(missing, fmt.Sprintf("%s: %v", q, err))
		case got.Rcode != want.Rcode || !slices.Equal(got.Data, want.Data):
			wrong = append(wrong, fmt.Sprintf("%s: got %s, want %s", q, show(got), show(want)))
		}
	}
	if n := len(wrong); n > 0 {
		b.problem("%s: %s: %d wrong answers of %d, the first is %s", name, set.Name, n, len(asked), wrong[0])
	}
	if n := len(missing); n > 0 {
		b.problem("%s: %s: %d questions without an answer of %d, the first is %s", name, set.Name, n, len(asked), missing[0])
	}
	return len(wrong) + len(missing)
}

// show shortens a wrong answer with a thousand addresses.
func show(a oracle.Answer) string {
	data := a.Data
	if len(data) > 3 {
		data = append(slices.Clone(data[:3]), fmt.Sprintf("and %d more", len(a.Data)-3))
	}
	return dns.RcodeToString[a.Rcode] + " [" + strings.Join(data, ", ") + "]"
}

// ask asks like a client: it repeats a question without an answer.
func ask(ctx context.Context, address string, q queries.Question) (got oracle.Answer, err error) {
	for range checkRetries {
		if got, err = askOnce(ctx, address, q); err == nil {
			break
		}
	}
	return got, err
}

// askOnce asks like dnsperf, and again over TCP if the answer was truncated.
func askOnce(ctx context.Context, address string, q queries.Question) (oracle.Answer, error) {
	query := new(dns.Msg).SetQuestion(q.Name, q.Type)
	query.SetEdns0(checkEDNS, false)
	client := dns.Client{Timeout: askTimeout}
	reply, _, err := client.ExchangeContext(ctx, query, address)
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, query, address)
	}
	if err != nil {
		return oracle.Answer{}, err
	}
	return oracle.Answer{Rcode: reply.Rcode, Data: oracle.Data(reply.Answer)}, nil
}
