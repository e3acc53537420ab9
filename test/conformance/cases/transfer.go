package cases

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// transferRule is the name of the rule for comparing transfers.
const transferRule = "ValidateAXFR"

// transfer asks for a whole zone and returns all its records in one message.
func (c Client) transfer(ctx context.Context, qname string) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := c.Dial(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	transfer := dns.Transfer{Conn: &dns.Conn{Conn: conn}} // Transfer closes it
	envelopes, err := transfer.In(digQuery(qname, dns.TypeAXFR), "")
	if err != nil {
		return nil, err
	}
	reply := new(dns.Msg)
	for e := range envelopes {
		if e.Error != nil {
			err = e.Error
		}
		reply.Answer = append(reply.Answer, e.RR...)
	}
	return reply, err
}

// compareTransfer requires the SOA record first and last, and between them for every record
// one that is like it, in any order, with none left over.
func (c *Case) compareTransfer(reply *dns.Msg) error {
	got := slices.Clone(reply.Answer)
	if len(got) < 2 || got[0].Header().Rrtype != dns.TypeSOA || got[len(got)-1].Header().Rrtype != dns.TypeSOA {
		return fmt.Errorf("no SOA record first and last: %s", texts(got))
	}
	want, err := parseRecords(c.Answers)
	if err != nil {
		return err
	}
	for _, r := range want {
		i := slices.IndexFunc(got, r.isLike)
		if i < 0 {
			return fmt.Errorf("no record like %s\nin what is left: %s", r, texts(got))
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		return fmt.Errorf("surplus records: %s", texts(got))
	}
	return nil
}

// isLike compares only what does not depend on the addresses of objects or on the day: no
// TTLs, serials or times.
func (r record) isLike(got dns.RR) bool {
	want, header := r.Header(), got.Header()
	if header.Class != want.Class || header.Rrtype != want.Rrtype || !isLikeName(want.Name, header.Name) {
		return false
	}
	switch want := r.RR.(type) {
	case *dns.A, *dns.SOA:
		return true
	case *dns.SRV:
		got := got.(*dns.SRV)
		return got.Priority == want.Priority && got.Weight == want.Weight && got.Port == want.Port &&
			isLikeName(want.Target, got.Target)
	}
	return dns.IsDuplicate(r.RR, got)
}

// dashedLabel matches the label of an endpoint that is named after its address.
var dashedLabel = regexp.MustCompile(`^\d+-\d+-\d+-\d+\.`)

// isLikeName reports whether two names are equal apart from an address at the beginning.
func isLikeName(want, got string) bool {
	if a, b := dashedLabel.FindString(want), dashedLabel.FindString(got); a != "" && b != "" {
		want, got = strings.TrimPrefix(want, a), strings.TrimPrefix(got, b)
	}
	return want == got
}
