package answer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// Of addresses that do not all fit, each has the same chance, in each place.
func TestWireShuffles(t *testing.T) {
	var b strings.Builder
	b.WriteString("namespace a\nheadless a/big\nslice a/big one")
	for i := range 60 {
		fmt.Fprintf(&b, " 10.0.0.%d", i)
	}
	s, v := clustertest.Snapshot(t, b.String()), wireView(t)
	name := wireName(t, "big.a.svc.cluster.local.")
	random := rand.NewPCG(3, 4)
	first, seen := map[string]int{}, map[string]int{}
	const rounds = 6000
	for range rounds {
		q := Question{Type: dns.TypeA}
		q.Parse(name)
		m, _, _ := wired(t, v, s, &q, name, Limits{Size: 512, Shuffle: true, Random: random})
		if !m.Truncated || len(m.Answer) != (512-headerSize-len(name)-4)/16 {
			t.Fatalf("%d addresses of 60, truncated %v", len(m.Answer), m.Truncated)
		}
		first[m.Answer[0].(*dns.A).A.String()]++
		for _, rr := range m.Answer {
			seen[rr.(*dns.A).A.String()]++
		}
	}
	for i := range 60 {
		a := fmt.Sprintf("10.0.0.%d", i)
		if first[a] < rounds/60/2 || first[a] > rounds/60*2 || seen[a] < rounds*29/60*8/10 {
			t.Errorf("%s came first %d times and was seen %d times", a, first[a], seen[a])
		}
	}
}
