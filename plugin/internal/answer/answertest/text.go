package answertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Row is a row of a table: its name, a question as "name type", and the golden text of the
// answer. There, "@" at the beginning of a record stands for the question's name with the
// TTL of the view and the class.
type Row [3]string

// Run asks the questions of a table. ask must return the text of the answer.
func Run(t *testing.T, rows []Row, ask func(question string) string) {
	t.Helper()
	for _, r := range rows {
		t.Run(r[0], func(t *testing.T) {
			if got, want := ask(r[1]), expand(Tidy(r[2]), r[1]); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", r[1], got, want)
			}
		})
	}
}

// expand replaces "@" by what it stands for.
func expand(golden, question string) string {
	name, _, _ := strings.Cut(question, " ")
	lines := strings.Split(golden, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(line, "+ "), "@ "); ok {
			lines[i] = strings.TrimSuffix(line, "@ "+rest) + name + fmt.Sprintf(" %d IN ", TTL) + rest
		}
	}
	return strings.Join(lines, "\n")
}

// Tidy removes the indentation of golden text, which follows that of the code.
func Tidy(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// ResultText has the names of the results.
var ResultText = map[resolve.Result]string{
	resolve.OutOfZone: "OutOfZone", resolve.Success: "Success", resolve.NoData: "NoData",
	resolve.NXDomain: "NXDomain", resolve.NotReady: "NotReady", resolve.FollowTarget: "FollowTarget", resolve.Referral: "Referral",
}

// Render returns an answer as text. The first line has the result and its target, if there
// is one. It also has the owner of the SOA record of a negative answer, in place of the
// record soa. Additional records begin with a plus sign.
func Render(result resolve.Result, target string, records, authority, extra []dns.RR, soa func(owner string) string) string {
	var b strings.Builder
	b.WriteString(ResultText[result] + " " + target + "\n")
	for _, rr := range authority {
		if owner := rr.Header().Name; rr.String() == soa(owner) {
			b.WriteString("SOA " + owner + "\n")
		} else {
			b.WriteString(rr.String() + "\n")
		}
	}
	for _, rr := range records {
		b.WriteString(rr.String() + "\n")
	}
	for _, rr := range extra {
		b.WriteString("+ " + rr.String() + "\n")
	}
	return Tidy(strings.Replace(b.String(), " \nSOA ", " ", 1))
}
