package cases

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// record is an expected resource record, as text with a TTL.
type record struct {
	dns.RR
	anyTTL bool // written "*"
}

// compare returns an error that says how the reply differs from the case's, by the rule
// that the case names.
func (c *Case) compare(reply *dns.Msg) error {
	if got := dns.RcodeToString[reply.Rcode]; got != c.Rcode {
		return fmt.Errorf("status is %s, want %s", got, c.Rcode)
	}
	switch c.Compare {
	case "":
		return c.compareSections(reply)
	case "regex":
		return c.compareTarget(reply)
	case transferRule:
		return c.compareTransfer(reply)
	}
	return fmt.Errorf("no rule for the comparison %q", c.Compare)
}

// compareSections requires the same records in each section, in any order.
func (c *Case) compareSections(reply *dns.Msg) error {
	for _, section := range []struct {
		name string
		want []string
		got  []dns.RR
	}{
		{"answer", c.Answers, reply.Answer},
		{"authority", c.Authority, reply.Ns},
		{"additional", c.Additional, withoutOPT(reply.Extra)},
	} {
		if err := compareSection(section.want, section.got); err != nil {
			return fmt.Errorf("%s section: %w\n got %s\nwant %q", section.name, err, texts(section.got), section.want)
		}
	}
	return nil
}

func compareSection(texts []string, got []dns.RR) error {
	if len(got) != len(texts) {
		return fmt.Errorf("%d records, want %d", len(got), len(texts))
	}
	want, err := parseRecords(texts)
	if err != nil {
		return err
	}
	got = slices.Clone(got)
	slices.SortFunc(got, byText)
	slices.SortFunc(want, func(a, b record) int { return byText(a.RR, b.RR) })
	for i := range want {
		if err := want[i].compare(got[i]); err != nil {
			return fmt.Errorf("%w in %s", err, got[i])
		}
	}
	return nil
}

func byText(a, b dns.RR) int { return strings.Compare(a.String(), b.String()) }

// compare compares with letter case, as the original compares texts.
func (r record) compare(got dns.RR) error {
	wantHeader, gotHeader := r.Header(), got.Header()
	switch {
	case gotHeader.Name != wantHeader.Name:
		return fmt.Errorf("owner is not %s", wantHeader.Name)
	case gotHeader.Rrtype != wantHeader.Rrtype:
		return fmt.Errorf("type is not %s", dns.TypeToString[wantHeader.Rrtype])
	case gotHeader.Ttl != wantHeader.Ttl && !r.anyTTL:
		return fmt.Errorf("TTL is not %d", wantHeader.Ttl)
	case Rdata(got) != Rdata(r.RR):
		return fmt.Errorf("rdata is not %q", Rdata(r.RR))
	}
	return nil
}

// Rdata returns the part of a record's data that is compared. Of an SOA record that is only
// the primary name server: serial and timers are those of the day when the data was
// written.
func Rdata(rr dns.RR) string {
	if soa, ok := rr.(*dns.SOA); ok {
		return soa.Ns
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

func parseRecords(texts []string) ([]record, error) {
	records := make([]record, len(texts))
	for i, text := range texts {
		fields := strings.SplitN(text, " ", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("no record: %q", text)
		}
		if fields[1] == "*" {
			records[i].anyTTL = true
			fields[1] = "0"
		}
		rr, err := dns.NewRR(strings.Join(fields, " "))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		records[i].RR = rr
	}
	return records, nil
}

// compareTarget compares names that are made from addresses: it requires one SRV record,
// and the address of its target.
func (c *Case) compareTarget(reply *dns.Msg) error {
	additional := withoutOPT(reply.Extra)
	if len(reply.Answer) != c.AnswerCount || len(additional) != c.AdditionalCount {
		return fmt.Errorf("%d answers and %d additional records, want %d and %d",
			len(reply.Answer), len(additional), c.AnswerCount, c.AdditionalCount)
	}
	pattern, err := regexp.Compile(c.TargetRegex)
	if err != nil {
		return err
	}
	srv, ok := reply.Answer[0].(*dns.SRV)
	if !ok {
		return fmt.Errorf("no SRV record: %s", reply.Answer[0])
	}
	for _, name := range []string{srv.Target, additional[0].Header().Name} {
		if !pattern.MatchString(name) {
			return fmt.Errorf("%s does not match %s", name, pattern)
		}
	}
	return nil
}

// withoutOPT removes the OPT record, which dig prints elsewhere.
func withoutOPT(rrs []dns.RR) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
}

func texts(rrs []dns.RR) []string {
	texts := make([]string, len(rrs))
	for i, rr := range rrs {
		texts[i] = fmt.Sprintf("%q", strings.Join(strings.Fields(rr.String()), " "))
	}
	return texts
}
