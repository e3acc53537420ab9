package kube

import (
	"hash/maphash"
	"iter"
)

// set finds objects by the key that they contain. It is a hash table with linear probing,
// in which a slot takes one pointer: the keys of a map would take megabytes for the Pods of
// a large cluster.
type set[K comparable, T any] struct {
	key   func(*T) K
	seed  maphash.Seed
	slots []*T // their number is a power of two, and at least one is nil
	count int
	marks []bool // marks of the slots, from clearMarks to unmarked; nil otherwise
}

func newSet[K comparable, T any](key func(*T) K) *set[K, T] {
	return &set[K, T]{key: key, seed: maphash.MakeSeed(), slots: make([]*T, 8)}
}

// at returns the object with a key, or nil.
func (s *set[K, T]) at(key K) *T { return s.slots[s.find(key)] }

// put adds an object, or replaces the object with the same key.
func (s *set[K, T]) put(object *T) {
	slot := s.find(s.key(object))
	if s.slots[slot] == nil {
		s.count++
	}
	s.slots[slot] = object
	if s.count*8 > len(s.slots)*7 {
		s.grow()
	}
}

// clearMarks begins to record marks, with no object marked.
func (s *set[K, T]) clearMarks() { s.marks = make([]bool, len(s.slots)) }

// mark marks the object with a key, if marks are recorded. The object must be in the set.
func (s *set[K, T]) mark(key K) {
	if s.marks != nil {
		s.marks[s.find(key)] = true
	}
}

// unmarked returns the keys of the objects without a mark, and stops recording marks.
func (s *set[K, T]) unmarked() (keys []K) {
	for slot, marked := range s.marks {
		if object := s.slots[slot]; object != nil && !marked {
			keys = append(keys, s.key(object))
		}
	}
	s.marks = nil
	return keys
}

// remove removes the object with a key, and moves the objects after it closer to the slots
// that their hashes choose.
func (s *set[K, T]) remove(key K) {
	gap := s.find(key)
	if s.slots[gap] == nil {
		return
	}
	s.take(gap)
	s.count--
	for slot := s.after(gap); s.slots[slot] != nil; slot = s.after(slot) {
		s.place(s.take(slot))
	}
}

// take empties a slot and returns what was in it.
func (s *set[K, T]) take(slot int) (object *T, marked bool) {
	object, s.slots[slot] = s.slots[slot], nil
	if s.marks != nil {
		marked, s.marks[slot] = s.marks[slot], false
	}
	return object, marked
}

// place puts an object into the first free slot for its key.
func (s *set[K, T]) place(object *T, marked bool) {
	slot := s.find(s.key(object))
	s.slots[slot] = object
	if s.marks != nil {
		s.marks[slot] = marked
	}
}

// all iterates over the objects. The set must not change meanwhile.
func (s *set[K, T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, object := range s.slots {
			if object != nil && !yield(object) {
				return
			}
		}
	}
}

// find returns the slot of the object with a key, or the empty slot that it would take.
func (s *set[K, T]) find(key K) int {
	slot := int(maphash.Comparable(s.seed, key)) & (len(s.slots) - 1)
	for s.slots[slot] != nil && s.key(s.slots[slot]) != key {
		slot = s.after(slot)
	}
	return slot
}

func (s *set[K, T]) after(slot int) int { return (slot + 1) & (len(s.slots) - 1) }

func (s *set[K, T]) grow() {
	old := *s
	s.slots = make([]*T, 2*len(old.slots))
	if old.marks != nil {
		s.clearMarks()
	}
	for slot, object := range old.slots {
		if object != nil {
			s.place(object, old.marks != nil && old.marks[slot])
		}
	}
}
