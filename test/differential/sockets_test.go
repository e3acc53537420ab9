package differential

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var (
	update = flag.Bool("update", false, "write the table of Corefiles into "+socketsPage)
	before = flag.String("before", "", "the `path` of an earlier build of our server, for the column of that name")
)

// socketsPage has the table of Corefiles, between its heading and the next one.
const (
	socketsPage    = "../../doc/fast-path.md"
	socketsHeading = "## Corefiles of clusters\n"
	socketsHead    = "| Corefile | whose | before | now | outside |\n|---|---|---|---|---|\n"
)

// nothing begins the cell of a Corefile with which the sockets answer nothing. The reason follows.
const nothing = "none: "

// socketsRow says of a Corefile which of the cluster's names are answered at the sockets.
type socketsRow struct {
	name, whose string
	before, now string // "all", "all but " and kinds of questions, or nothing and the reason
	outside     string // "yes" if names outside that the cache has are answered there too
}

func (r socketsRow) String() string {
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", r.name, r.whose, r.before, r.now, r.outside)
}

// kinds are the kinds of questions about names of the cluster, each asked as an example.
var kinds = []struct {
	name string
	question
}{
	{"A", ask("1-digit.zoo.svc.cluster.local.", dns.TypeA)},
	{"AAAA", ask("1-digit.zoo.svc.cluster.local.", dns.TypeAAAA)},
	{"SRV", ask("_http._tcp.web.zoo.svc.cluster.local.", dns.TypeSRV)},
	{"PTR", ask("1.1.96.10.in-addr.arpa.", dns.TypePTR)},
	{"denials", ask("never.zoo.svc.cluster.local.", dns.TypeA)},
}

// outsideKind is a name outside, which the cache has after the first time.
var outsideKind = ask("www.example.org.", dns.TypeA)

// publishedRows reads the table, by the names of the Corefiles.
func publishedRows(t *testing.T) map[string]socketsRow {
	t.Helper()
	_, section, found := strings.Cut(readText(t, socketsPage), socketsHeading)
	if !found {
		t.Fatalf("%s has no heading %q", socketsPage, socketsHeading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]socketsRow{}
	for line := range strings.Lines(section) {
		cells, ok := parseRow(line)
		if !ok || len(cells) != 5 {
			continue
		}
		if name := strings.Trim(cells[0], "`"); name != cells[0] {
			rows[name] = socketsRow{name, cells[1], cells[2], cells[3], cells[4]}
		}
	}
	return rows
}

// publish writes the table.
func publish(t *testing.T, rows []socketsRow) {
	t.Helper()
	text := readText(t, socketsPage)
	start := strings.Index(text, socketsHead)
	if start < 0 {
		t.Fatalf("%s has no table that begins %q", socketsPage, socketsHead)
	}
	table := socketsHead
	for _, row := range rows {
		table += row.String()
	}
	_, rest, _ := strings.Cut(text[start:], "\n\n")
	if err := os.WriteFile(socketsPage, []byte(text[:start]+table+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
}

// whose returns the first sentence of the comment that a Corefile begins with.
func (c *corefile) whose(t *testing.T) string {
	t.Helper()
	var comment []string
	for line := range strings.Lines(readText(t, c.path)) {
		text, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		comment = append(comment, strings.TrimSpace(text))
	}
	sentence, _, _ := strings.Cut(strings.Join(comment, " "), ". ")
	return strings.TrimSuffix(sentence, ".")
}

// left returns whether the sockets answer nothing under a Corefile, as the table says. Corefiles
// that are not in the table are answered.
func (c *corefile) left(t *testing.T) bool {
	return c.wild && strings.HasPrefix(publishedRows(t)[c.name].now, nothing)
}
