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

// transfer is what a server sends to a secondary.
type transfer struct {
	problem error // such as a response code
	records []dns.RR
}

// pull requests a zone or, if the serial is not 0, the changes since that serial.
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
		if result.add(envelope); result.problem != nil {
			in.Close()
		}
	}
	return result
}

// add adds a message, unless there is a problem. A message without records after others
// means that the server has failed: the library checks the code of the first message only.
func (t *transfer) add(envelope *dns.Envelope) {
	switch {
	case t.problem != nil:
	case envelope.Error == nil && len(envelope.RR) == 0:
		t.problem = errFailed
	default:
		t.problem = envelope.Error
		t.records = append(t.records, envelope.RR...)
	}
}

// serial returns the serial of the first record.
func (t *transfer) serial() uint32 {
	if len(t.records) > 0 {
		if soa, ok := t.records[0].(*dns.SOA); ok {
			return soa.Serial
		}
	}
	return 0
}

// equal reports whether both transfers have the same records, in any order, or problems.
func (t *transfer) equal(other *transfer) bool {
	if t.problem != nil || other.problem != nil {
		return fmt.Sprint(t.problem) == fmt.Sprint(other.problem)
	}
	return slices.Equal(texts(t.records), texts(other.records))
}

// minus returns a text of the records that other does not have.
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

// Errors of the DNS library for a server that refuses or fails.
var (
	errRefused = fmt.Errorf("dns: bad xfr rcode: %d", dns.RcodeRefused)
	errNoSOA   = errors.New("dns: no SOA")
	errFailed  = fmt.Errorf("dns: bad xfr rcode: %d", dns.RcodeServerFailure)
)

// explained reports whether the matchers turn stock's transfer into ours.
func (c *pulled) explained() bool {
	_, want := c.explain()
	return want.equal(c.ours)
}

// explain applies the matchers to stock's transfer. It returns which of them changed it,
// and the result, which equals ours if they explain the difference.
func (c *pulled) explain() (by []int, want *transfer) {
	want = c.stock
	for i, m := range transferMatchers {
		if !m.about(c) {
			continue
		}
		changed := m.change(c, want)
		if !changed.equal(want) {
			by = append(by, i)
		}
		want = changed
	}
	return by, want
}
