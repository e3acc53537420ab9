package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// render returns an answer in the style of dig, without what varies between runs. The order
// of RRsets in the answer section matters because of aliases, so it stays; everything else
// is sorted.
func render(r *dns.Msg) string {
	var b strings.Builder
	fmt.Fprintf(&b, ";; status: %s flags: %s\n", dns.RcodeToString[r.Rcode], flags(r))
	section(&b, "ANSWER", rrsets(r.Answer))
	section(&b, "AUTHORITY", sorted(r.Ns))
	section(&b, "ADDITIONAL", sorted(r.Extra))
	return b.String()
}

func flags(r *dns.Msg) string {
	var set []string
	for _, f := range []struct {
		on   bool
		name string
	}{
		{r.Response, "qr"}, {r.Authoritative, "aa"}, {r.Truncated, "tc"},
		{r.RecursionDesired, "rd"}, {r.RecursionAvailable, "ra"},
		{r.AuthenticatedData, "ad"}, {r.CheckingDisabled, "cd"},
	} {
		if f.on {
			set = append(set, f.name)
		}
	}
	return strings.Join(set, " ")
}

func section(b *strings.Builder, name string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(b, ";; %s\n%s\n", name, strings.Join(lines, "\n"))
	}
}

// rrsets returns the lines of some records, sorted within every RRset.
func rrsets(rrs []dns.RR) []string {
	var lines []string
	for len(rrs) > 0 {
		size := firstRRset(rrs)
		lines = append(lines, sorted(rrs[:size])...)
		rrs = rrs[size:]
	}
	return lines
}

// sorted returns the sorted lines of some records, without the OPT record of EDNS.
func sorted(rrs []dns.RR) []string {
	var lines []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			lines = append(lines, record(rr))
		}
	}
	slices.Sort(lines)
	return lines
}

// firstRRset returns how many records at the beginning belong to one RRset.
func firstRRset(rrs []dns.RR) int {
	first := rrs[0].Header()
	for i, rr := range rrs {
		if h := rr.Header(); h.Name != first.Name || h.Rrtype != first.Rrtype {
			return i
		}
	}
	return len(rrs)
}

// record returns a record on one line. It masks the serial of our zones, which is a time.
func record(rr dns.RR) string {
	text := strings.ReplaceAll(rr.String(), "\t", " ")
	if soa, ok := rr.(*dns.SOA); ok && soa.Serial > 1_000_000_000 {
		text = strings.Replace(text, fmt.Sprintf(" %d ", soa.Serial), " SERIAL ", 1)
	}
	return text
}
