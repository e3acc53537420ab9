package chain

import (
	"context"
	"testing"

	"github.com/miekg/dns"
)

// fixed reports the same coverage for every question, and counts questions.
type fixed struct {
	coverage Coverage
	asked    int
}

func (s *fixed) Covers(context.Context, dns.ResponseWriter, *dns.Msg) Coverage {
	s.asked++
	return s.coverage
}

// Of several handlers the one with the largest coverage decides, and no more are asked than
// needed.
func TestBypasses(t *testing.T) {
	for _, tc := range []struct {
		first, second Coverage
		servesOthers  bool
		want          bool
		asked         int // number of questions to the second handler
	}{
		{CoversNothing, CoversNothing, false, false, 1},
		{CoversNothing, CoversDenial, false, true, 1},
		{CoversNothing, CoversDenial, true, false, 1},
		{CoversDenial, CoversNothing, false, true, 1},
		{CoversDenial, CoversNothing, true, false, 1},
		{CoversDenial, CoversAnswer, true, true, 1},
		{CoversAnswer, CoversNothing, true, true, 0},
	} {
		second := &fixed{coverage: tc.second}
		g := &CacheGate{ServesOthers: tc.servesOthers}
		g.Add(&fixed{coverage: tc.first})
		g.Add(second)
		if got := g.bypasses(context.Background(), nil, new(dns.Msg)); got != tc.want || second.asked != tc.asked {
			t.Errorf("%+v: %v, asked %d times", tc, got, second.asked)
		}
	}
}
