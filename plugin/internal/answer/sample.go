package answer

import (
	"math/bits"
	"math/rand/v2"
)

// sample chooses count of total items at random, in as many steps. It divides the items,
// from a random start, into count parts of equal size and takes one of each, so that each
// item has the same chance and neighbours are seldom chosen together.
type sample struct {
	total, count int
	start, taken int
	random       *rand.PCG
}

func newSample(total, count int, random *rand.PCG) sample {
	s := sample{total: total, count: count, random: random}
	if count < total {
		s.start = s.below(total)
	}
	return s
}

// whole reports whether all items are chosen, in their own order.
func (s *sample) whole() bool { return s.count >= s.total }

// next returns the next chosen item. It must not be called more than count times.
func (s *sample) next() int {
	if s.whole() {
		s.taken++
		return s.taken - 1
	}
	return s.nextByChance()
}

func (s *sample) nextByChance() int {
	from, to := s.taken*s.total/s.count, (s.taken+1)*s.total/s.count
	s.taken++
	at := s.start + from + s.below(to-from)
	if at >= s.total {
		at -= s.total
	}
	return at
}

// below returns a random number below n, with the bias of 32 bits.
func (s *sample) below(n int) int { return int(below32(s.random, uint32(n))) }

// below32 returns a random number below n, from the process's own source if random is nil.
func below32(random *rand.PCG, n uint32) uint32 {
	var x uint64
	if random != nil {
		x = random.Uint64()
	} else {
		x = rand.Uint64()
	}
	high, _ := bits.Mul64(x, uint64(n))
	return uint32(high)
}
