package top

// counters is the number of counters of a sketch.
const counters = 64

// sketch counts the items that occur most in a stream, by the algorithm Space-Saving.
type sketch[K comparable] struct {
	index  map[K]int
	items  []K
	counts []uint64
	over   []uint64 // how much of the count may be of items that were there before
}

// add counts an item with a weight. keep returns a copy of an item that the sketch may hold on to.
func (s *sketch[K]) add(item K, weight uint64, keep func(K) K) {
	if i, ok := s.index[item]; ok {
		s.counts[i] += weight
		return
	}
	item = keep(item)
	if len(s.items) < counters {
		if s.index == nil {
			s.index = make(map[K]int, counters)
		}
		s.index[item] = len(s.items)
		s.items, s.counts, s.over = append(s.items, item), append(s.counts, weight), append(s.over, 0)
		return
	}
	i := s.least()
	delete(s.index, s.items[i])
	s.index[item], s.items[i] = i, item
	s.over[i] = s.counts[i]
	s.counts[i] += weight
}

// least returns the index of a counter that is the lowest.
func (s *sketch[K]) least() int {
	low := 0
	for i, count := range s.counts {
		if count < s.counts[low] {
			low = i
		}
	}
	return low
}

// missed returns how often an item may have been added that has no counter.
func (s *sketch[K]) missed() uint64 {
	if len(s.items) < counters {
		return 0
	}
	return s.counts[s.least()]
}

// clear forgets all items.
func (s *sketch[K]) clear() {
	clear(s.index)
	clear(s.items) // they may have memory
	s.items, s.counts, s.over = s.items[:0], s.counts[:0], s.over[:0]
}

// Count says how often something was asked. It is never too low, but for questions that were not
// counted.
type Count struct {
	Questions uint64 `json:"questions"`
	Over      uint64 `json:"over"` // by how much Questions may be too high
}

// merge returns what two sketches have counted together.
func merge[K comparable](one, other *sketch[K]) map[K]Count {
	sums := make(map[K]Count, len(one.items)+len(other.items))
	for _, s := range []*sketch[K]{one, other} {
		for i, item := range s.items {
			sum := sums[item]
			sums[item] = Count{sum.Questions + s.counts[i], sum.Over + s.over[i]}
		}
	}
	for _, s := range []*sketch[K]{one, other} {
		missed := s.missed()
		for item, sum := range sums {
			if _, ok := s.index[item]; !ok {
				sums[item] = Count{sum.Questions + missed, sum.Over + missed}
			}
		}
	}
	return sums
}
