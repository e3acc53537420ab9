package top

import (
	"testing"

	"pgregory.net/rapid"
)

func same[T any](v T) T { return v }

// drawStream adds items to a sketch and returns how often each was.
func drawStream(t *rapid.T, s *sketch[int], label string) (exact map[int]uint64, all uint64) {
	exact = map[int]uint64{}
	// Few items are asked for often, the others once or twice.
	often := rapid.IntRange(0, 100).Draw(t, label+": items that are frequent")
	for range rapid.IntRange(0, 2000).Draw(t, label+": length") {
		item := rapid.IntRange(0, 3000).Draw(t, label+": item")
		if often > 0 && item%2 == 0 {
			item %= often
		}
		weight := rapid.SampledFrom([]uint64{1, 1, 1, sampled}).Draw(t, label+": weight")
		s.add(item, weight, same)
		exact[item] += weight
		all += weight
	}
	return exact, all
}

// The guarantee of Space-Saving (Metwally et al. 2005, lemmas 3 and 4): what is more than one in k of all is there, and
// no count is too low, nor too high by more than it says, which is at most one in k.
func checkCounts(t *rapid.T, got map[int]Count, exact map[int]uint64, all uint64) {
	for item, n := range exact {
		if _, there := got[item]; n > all/counters && !there {
			t.Fatalf("%d of %d questions are not there", n, all)
		}
	}
	for item, c := range got {
		switch n := exact[item]; {
		case c.Questions < n:
			t.Fatalf("%d counted, there were %d", c.Questions, n)
		case c.Questions-c.Over > n:
			t.Fatalf("%d counted, of which %d may be too many, but there were %d", c.Questions, c.Over, n)
		case c.Over > all/counters:
			t.Fatalf("%d of %d may be too many", c.Over, all)
		}
	}
}

func TestSpaceSaving(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s, other sketch[int]
		exact, all := drawStream(t, &s, "one")
		checkCounts(t, merge(&s, &other), exact, all)
		var sum uint64
		for _, n := range s.counts {
			sum += n
		}
		if len(s.items) > counters || len(s.index) != len(s.items) || sum != all {
			t.Fatalf("%d items, %d in the index, %d of %d questions", len(s.items), len(s.index), sum, all)
		}
		more, others := drawStream(t, &other, "other")
		for item, n := range more {
			exact[item] += n
		}
		checkCounts(t, merge(&s, &other), exact, all+others)
		if s.clear(); len(merge(&s, new(sketch[int]))) > 0 {
			t.Fatal("something is left")
		}
	})
}
