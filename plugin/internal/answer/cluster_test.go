package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const testTTL = 5

// viewOf is a view with the given origins.
func viewOf(t clustertest.T, origins ...string) *resolve.View {
	t.Helper()
	v := &resolve.View{TTL: testTTL}
	for _, text := range origins {
		o, err := resolve.ParseOrigin(text)
		if err != nil {
			t.Fatal(err)
		}
		v.Origins = append(v.Origins, o)
	}
	return v
}

// clusterSetView is a view of a cluster and of the cluster set that it belongs to.
func clusterSetView(t clustertest.T) *resolve.View {
	t.Helper()
	v := viewOf(t, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
	v.Origins[0].ClusterSet = true
	return v
}

// clusterView is a view as most Corefiles configure it.
func clusterView(t clustertest.T) *resolve.View {
	t.Helper()
	return viewOf(t, "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
}

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
	a := Lookup(v, s, &n, qtype, Unlimited)
	checkOutcome(t, v, s, &n, qtype, &a)
	return a
}

// checkOutcome holds what is told without records to the look-up with them.
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
type row struct{ name, question, want string }

func run(t *testing.T, v *resolve.View, s *cluster.Snapshot, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got := render(ask(t, v, s, r.question))
			if want := tidy(r.want); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", r.question, got, want)
			}
		})
	}
}

// tidy lets golden text be indented like the code around it.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return strings.Join(lines, "\n")
}

var resultText = map[resolve.Result]string{
	resolve.OutOfZone: "OutOfZone", resolve.Success: "Success", resolve.NoData: "NoData",
	resolve.NXDomain: "NXDomain", resolve.NotReady: "NotReady", resolve.FollowTarget: "FollowTarget",
}

// render writes an answer as text. The first line is the result, with the owner
// of the SOA record if there is one; additional records begin with a plus sign.
func render(a Answer) string {
	var b strings.Builder
	b.WriteString(resultText[a.Result] + " " + a.Target + "\n")
	for _, rr := range a.Authority {
		b.WriteString(renderSOA(rr) + "\n")
	}
	for _, rr := range a.Records {
		b.WriteString(rr.String() + "\n")
	}
	for _, rr := range a.Extra {
		b.WriteString("+ " + rr.String() + "\n")
	}
	return tidy(strings.Replace(b.String(), " \nSOA ", " ", 1))
}

// renderSOA is short for the record that every negative answer has, and long for
// any other.
func renderSOA(rr dns.RR) string {
	owner := rr.Header().Name
	if rr.String() == soaText(owner) {
		return "SOA " + owner
	}
	return rr.String()
}

func soaText(owner string) string {
	return owner + "\t5\tIN\tSOA\tns.dns." + owner + " hostmaster." + owner + " 7 7200 1800 86400 5"
}
