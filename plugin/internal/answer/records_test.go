package answer

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const recordsCluster = `
	namespace default
	clusterip default/web 10.3.0.1,2001:db8::1 http/tcp/80
	clusterip default/two 10.3.0.2,10.3.0.3 http/tcp/80
	headless default/db sql/tcp/5432
	slice default/db a sql/tcp/5432 10.0.0.1=db-0 10.0.0.2=db-1 2001:db8::2
	external default/out www.example.com
`

// spoilRecords changes everything in records that a plugin may change.
func spoilRecords(section []dns.RR) {
	for _, rr := range section {
		switch rr := rr.(type) {
		case *dns.A:
			rr.A[0]++
		case *dns.AAAA:
			rr.AAAA[0]++
		case *dns.SOA:
			rr.Ns, rr.Serial, rr.Minttl = "spoilt.", rr.Serial+1, rr.Minttl+1
		}
		*rr.Header() = dns.RR_Header{Name: "spoilt.", Ttl: 1}
	}
	clear(section)
	_ = append(section, &dns.TXT{})
}

// TestRecordsAreTheirReceivers looks names up again after everything in the first answer
// has been changed.
func TestRecordsAreTheirReceivers(t *testing.T) {
	v, s := clusterView(t), clustertest.Snapshot(t, recordsCluster)
	v.Pods = resolve.PodsInsecure
	for _, qname := range []string{
		"web.default", "two.default", "db.default", "db-0.db.default", "_http._tcp.web.default", "_sql._tcp.db.default", "out.default", "no.default", "default",
	} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeTXT} {
			n, err := dnsname.Parse(qname + ".svc.cluster.local.")
			if err != nil {
				t.Fatal(err)
			}
			first := Lookup(v, s, &n, qtype, unlimited)
			want := render(first)
			spoilRecords(first.Records)
			spoilRecords(first.Authority)
			spoilRecords(first.Extra)
			if got := render(Lookup(v, s, &n, qtype, unlimited)); got != want {
				t.Errorf("%s %s: first\n%s\nthen\n%s", qname, dns.TypeToString[qtype], want, got)
			}
		}
	}
}

// TestRecordsOfAClusterIPAllocateOnce checks that the most frequent answer takes a single
// allocation.
func TestRecordsOfAClusterIPAllocateOnce(t *testing.T) {
	v, s := clusterView(t), clustertest.Snapshot(t, recordsCluster)
	var q Question
	for _, tc := range []struct {
		qname string
		qtype uint16
	}{
		{"web.default.svc.cluster.local.", dns.TypeA},
		{"_http._tcp.web.default.svc.cluster.local.", dns.TypeA},
		{"two.default.svc.cluster.local.", dns.TypeAAAA},
		{"no.default.svc.cluster.local.", dns.TypeA},
		{"default.svc.cluster.local.", dns.TypeA},
	} {
		got := testing.AllocsPerRun(100, func() {
			n, err := q.ParseText(tc.qname)
			if err != nil {
				t.Fatal(err)
			}
			if a := Lookup(v, s, n, tc.qtype, unlimited); len(a.Records)+len(a.Authority) != 1 {
				t.Fatal(render(a))
			}
		})
		if got != 1 {
			t.Errorf("%s: %v allocations", tc.qname, got)
		}
	}
}
