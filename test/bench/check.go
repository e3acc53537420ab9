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
	// checks is how many questions of each set are compared with the truth.
	checks       = 100
	askTimeout   = 2 * time.Second
	checkEDNS    = 4096 // as dnsperf asks
	checkRetries = 3    // a datagram may get lost on a busy machine
)

// checkAnswers compares answers with what the oracle says, and returns how many
// were wrong or missing. One of each is shown.
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

// show keeps a wrong answer of a thousand addresses readable.
func show(a oracle.Answer) string {
	data := a.Data
	if len(data) > 3 {
		data = append(slices.Clone(data[:3]), fmt.Sprintf("and %d more", len(a.Data)-3))
	}
	return dns.RcodeToString[a.Rcode] + " [" + strings.Join(data, ", ") + "]"
}

// ask asks as a client does, again when there was no answer.
func ask(ctx context.Context, address string, q queries.Question) (got oracle.Answer, err error) {
	for range checkRetries {
		if got, err = askOnce(ctx, address, q); err == nil {
			break
		}
	}
	return got, err
}

// askOnce asks as dnsperf does, and over TCP when the answer was cut.
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
