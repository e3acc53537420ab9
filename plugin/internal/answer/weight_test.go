package answer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// The weight is the share of a hundred that each pair of address and port has,
// of both families and before records that come twice are left out, and at least one.
func TestWeights(t *testing.T) {
	var many strings.Builder
	for i := range 150 {
		fmt.Fprintf(&many, " 10.0.%d.1", i)
	}
	s := clustertest.Snapshot(t, `
		namespace default
		headless default/pairs
		slice default/pairs a a/tcp/1 b/tcp/2 10.0.0.1 10.0.0.2
		slice default/pairs b a/tcp/1 2001:db8::1
		slice default/pairs c a/tcp/1 10.0.0.1
		headless default/bare
		slice default/bare a a/tcp/1 10.0.0.1
		slice default/bare b 10.0.0.2 10.0.0.3
		headless default/many
		slice default/many a a/tcp/1`+many.String()+`
		clusterip default/twice 10.3.0.1 a/tcp/1 a/udp/1
	`)
	for _, tc := range []struct {
		name                   string
		weight, records, extra int
	}{
		// 2 addresses with 2 ports, 1 with 1, and 1 that is there already.
		{"pairs", 16, 5, 3},
		{"_a._tcp.pairs", 25, 3, 3},
		{"_b._tcp.pairs", 50, 2, 2},
		{"10-0-0-1.pairs", 33, 2, 1},
		// An endpoint without ports has no record, but counts.
		{"bare", 33, 1, 1},
		{"_a._tcp.bare", 100, 1, 1},
		{"many", 1, 150, 150},
		{"twice", 50, 1, 1},
		{"_a._udp.twice", 100, 1, 1},
	} {
		a := ask(t, clusterView(t), s, tc.name+".default.svc.cluster.local. SRV")
		if len(a.Records) != tc.records || len(a.Extra) != tc.extra {
			t.Errorf("%s: %d records, %d additional, want %d and %d", tc.name, len(a.Records), len(a.Extra), tc.records, tc.extra)
		}
		for _, rr := range a.Records {
			if got := rr.(*dns.SRV).Weight; int(got) != tc.weight {
				t.Errorf("%s: weight %d, want %d", tc.name, got, tc.weight)
			}
		}
	}
}
