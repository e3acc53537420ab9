package published

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// reply is an answer in a form that can be compared: its sections are sorted texts in lower case.
type reply struct {
	problem           error
	msg               *dns.Msg
	rcode             int
	aa, tc            bool
	answer, ns, extra []string
	open              bool // the authority is another server's
}

// number returns a number as it is written.
func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// text returns a record in its presentation form.
func text(owner string, ttl uint32, data string) string {
	rrtype, rest, _ := strings.Cut(data, " ")
	return strings.Join([]string{owner, number(ttl), "IN", rrtype, rest}, "\t")
}

func newReply(m *dns.Msg, err error) *reply {
	if err != nil {
		return &reply{problem: err}
	}
	return &reply{
		msg: m, rcode: m.Rcode, aa: m.Authoritative, tc: m.Truncated,
		answer: texts(m.Answer), ns: texts(m.Ns), extra: texts(m.Extra),
	}
}

// texts masks the serial of SOA records, and leaves the OPT record out, whose size is each
// server's own.
func texts(rrs []dns.RR) (all []string) {
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeOPT {
			continue
		}
		if soa, ok := rr.(*dns.SOA); ok {
			timeless := *soa
			timeless.Serial = 0
			rr = &timeless
		}
		all = append(all, lower(rr))
	}
	slices.Sort(all)
	return all
}

// lower returns a record in lower case, but texts as they are.
func lower(rr dns.RR) string {
	if rr.Header().Rrtype == dns.TypeTXT {
		head := rr.Header().String()
		return strings.ToLower(rr.Header().Name) + head[len(rr.Header().Name):] + strings.TrimPrefix(rr.String(), head)
	}
	text := strings.ToLower(rr.String())
	for _, word := range []string{"a", "aaaa", "cname", "soa", "ns", "txt"} {
		text = strings.Replace(text, "\tin\t"+word+"\t", "\tIN\t"+strings.ToUpper(word)+"\t", 1)
	}
	return text
}

// equal reports whether two answers are the same. What is left of a truncated one is not compared.
func (r *reply) equal(other *reply) bool {
	if r.problem != nil || other.problem != nil {
		return r.problem != nil && other.problem != nil
	}
	if r.rcode != other.rcode || r.aa != other.aa || r.tc != other.tc {
		return false
	}
	return r.tc || r.sameRecords(other)
}

func (r *reply) sameRecords(other *reply) bool {
	same := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	return same(r.answer, other.answer) && same(r.extra, other.extra) && (r.open || other.open || same(r.ns, other.ns))
}

// is reports whether an answer has the code and records of the types in its sections, with commas
// between them.
func (r *reply) is(rcode int, answer, authority string) bool {
	return r.problem == nil && r.aa && r.rcode == rcode && types(r.msg.Answer) == answer && types(r.msg.Ns) == authority
}

// denies reports whether there is nothing but the SOA record.
func (r *reply) denies() bool { return r.is(dns.RcodeNameError, "", "SOA") }

func (r *reply) noData() bool { return r.is(dns.RcodeSuccess, "", "SOA") }

func types(rrs []dns.RR) string {
	var all []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			all = append(all, dns.TypeToString[rr.Header().Rrtype])
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

func (r *reply) String() string {
	if r.problem != nil {
		return r.problem.Error()
	}
	return fmt.Sprintf("%s aa=%t tc=%t answer %q authority %q additional %q", dns.RcodeToString[r.rcode], r.aa, r.tc, r.answer, r.ns, r.extra)
}

// errNoReply is what a question gets that is never answered.
var errNoReply = errors.New("no reply")
