package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// answerTimeout is how long a stub resolver waits for an answer.
const answerTimeout = 5 * time.Second

// Answers without records. They have the SOA record of the zone.
const (
	noName  = "NXDOMAIN soa"
	noData  = "NOERROR soa"
	unready = "SERVFAIL soa"
)

// answers has the answer to each question. A question is a type and a name without its
// final dot, for PTR an address. An answer is the response code and the sorted data of its
// records.
type answers map[string]string

// ask sends a question over UDP, once. A failure counts as an answer too.
func (s *server) ask(question string) string {
	r, err := s.exchange(question)
	if err != nil {
		return err.Error()
	}
	words := []string{dns.RcodeToString[r.Rcode]}
	for _, rr := range r.Answer {
		words = append(words, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(words[1:])
	for _, rr := range r.Ns {
		words = append(words, strings.ToLower(dns.TypeToString[rr.Header().Rrtype]))
	}
	return strings.Join(words, " ")
}

// ttl returns the TTL of the first record of an answer.
func (s *server) ttl(t *testing.T, question string) uint32 {
	t.Helper()
	r, err := s.exchange(question)
	if err != nil || len(r.Answer) == 0 {
		t.Fatalf("%s: no answer: %v", question, err)
	}
	return r.Answer[0].Header().Ttl
}

func (s *server) exchange(question string) (*dns.Msg, error) {
	m, err := message(question)
	if err != nil {
		return nil, err
	}
	client := dns.Client{Timeout: answerTimeout}
	r, _, err := client.Exchange(m, s.addr)
	if err != nil {
		return nil, err
	}
	if !r.Authoritative || len(r.Question) != 1 || r.Question[0] != m.Question[0] {
		return nil, fmt.Errorf("not an answer of ours to %s:\n%s", question, r)
	}
	return r, nil
}

func message(question string) (*dns.Msg, error) {
	qtype, name, _ := strings.Cut(question, " ")
	if dns.StringToType[qtype] == dns.TypeNone {
		return nil, fmt.Errorf("expected a type and a name: %s", question)
	}
	if qtype == "PTR" {
		reverse, err := dns.ReverseAddr(name)
		if err != nil {
			return nil, err
		}
		name = reverse
	}
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]), nil
}

// wrong returns an error that lists the answers that differ from those wanted.
func (s *server) wrong(want answers) error {
	var all []error
	for _, question := range slices.Sorted(maps.Keys(want)) {
		if got := s.ask(question); got != want[question] {
			all = append(all, fmt.Errorf("%s: %s, want %s", question, got, want[question]))
		}
	}
	return errors.Join(all...)
}

// await waits until all answers are as wanted.
func (s *server) await(t *testing.T, want answers) {
	t.Helper()
	eventually(t, func() error { return s.wrong(want) })
}

// expect fails the test unless all answers are as wanted now.
func (s *server) expect(t *testing.T, want answers) {
	t.Helper()
	if err := s.wrong(want); err != nil {
		t.Error(err)
	}
}
