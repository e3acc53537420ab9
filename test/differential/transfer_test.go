package differential

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// transferTimeout is how long each message of a transfer may take.
const transferTimeout = 10 * time.Second

// transfer is what a server gives to a secondary.
type transfer struct {
	problem error // such as a response code
	records []dns.RR
}

// pull asks for a zone, or, of a serial that is not 0, for what is new since then.
func pull(address, zone string, serial uint32, qtype uint16) *transfer {
	conn, err := net.DialTimeout("tcp", address, transferTimeout)
	if err != nil {
		return &transfer{problem: err}
	}
	query := new(dns.Msg).SetAxfr(zone)
	if qtype == dns.TypeIXFR {
		query.SetIxfr(zone, serial, ".", ".")
	}
	in := dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: transferTimeout} // closes it
	envelopes, err := in.In(query, "")
	result := &transfer{problem: err}
	for envelope := range envelopes {
		result.problem = errors.Join(result.problem, envelope.Error)
		result.records = append(result.records, envelope.RR...)
	}
	return result
}

// serial is that of the first record.
func (t *transfer) serial() uint32 {
	if len(t.records) > 0 {
		if soa, ok := t.records[0].(*dns.SOA); ok {
			return soa.Serial
		}
	}
	return 0
}

// equal says whether both are the same records, in any order, or problems.
func (t *transfer) equal(other *transfer) bool {
	if t.problem != nil || other.problem != nil {
		return fmt.Sprint(t.problem) == fmt.Sprint(other.problem)
	}
	return slices.Equal(texts(t.records), texts(other.records))
}

// minus tells what the one has and the other has not.
func (t *transfer) minus(other *transfer) string {
	if t.problem != nil {
		return t.problem.Error()
	}
	have := map[string]int{}
	for _, text := range texts(other.records) {
		have[text]++
	}
	var only []string
	for _, text := range texts(t.records) {
		if have[text]--; have[text] < 0 {
			only = append(only, strings.Join(strings.Fields(text), " "))
		}
	}
	return fmt.Sprintf("%d records, of which only here:\n    %s", len(t.records), strings.Join(only, "\n    "))
}

// errRefused is how the DNS library tells that a server said no.
var errRefused = fmt.Errorf("dns: bad xfr rcode: %d", dns.RcodeRefused)

// explain applies the matchers to stock's transfer. It tells which of them changed
// it, and what it has become, which is ours if they explain the difference.
func (c *pulled) explain() (by []int, want *transfer) {
	want = c.stock
	for i, m := range transferMatchers {
		records := m.change(c, want.records)
		if !slices.Equal(texts(records), texts(want.records)) {
			by = append(by, i)
		}
		want = &transfer{problem: want.problem, records: records}
	}
	if len(want.records) == 0 && len(c.stock.records) > 0 {
		want = &transfer{problem: errRefused}
	}
	return by, want
}
