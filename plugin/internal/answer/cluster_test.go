package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// Shorter names.
var (
	viewOf         = answertest.View
	clusterView    = answertest.ClusterView
	clusterSetView = answertest.ClusterSetView
	drawView       = answertest.DrawView
	resultText     = answertest.ResultText
)

// ask looks up a question written as "name type".
func ask(t clustertest.T, v *resolve.View, s *cluster.Snapshot, question string) Answer {
	t.Helper()
	f := strings.Fields(question)
	qtype, ok := dns.StringToType[f[1]]
	if !ok {
		t.Fatalf("no such type: %s", question)
	}
	return askType(t, v, s, f[0], qtype)
}

func askType(t clustertest.T, v *resolve.View, s *cluster.Snapshot, name string, qtype uint16) Answer {
	t.Helper()
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	a := Lookup(v, s, &n, qtype, unlimited)
	checkOutcome(t, v, s, &n, qtype, &a)
	return a
}

// checkOutcome compares the result without records with that of a look-up.
func checkOutcome(t clustertest.T, v *resolve.View, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, a *Answer) {
	t.Helper()
	want := a.Result
	if want == resolve.NoData {
		want = resolve.Success
	}
	got, last := v.Outcome(s, n, qtype)
	if got != want || got == resolve.FollowTarget && last.String() != a.Target {
		t.Fatalf("%s %s: the outcome is %d at %s, the answer %+v", n, dns.Type(qtype), got, last, *a)
	}
}

// row is a question with the golden text of its answer.
type row = answertest.Row

func run(t *testing.T, v *resolve.View, s *cluster.Snapshot, rows []row) {
	t.Helper()
	answertest.Run(t, rows, func(question string) string { return render(ask(t, v, s, question)) })
}

// render writes an answer as text.
func render(a Answer) string {
	return answertest.Render(a.Result, a.Target, a.Records, a.Authority, a.Extra, soaText)
}

func soaText(owner string) string {
	return owner + "\t5\tIN\tSOA\tns.dns." + owner + " hostmaster." + owner + " 7 7200 1800 86400 5"
}
