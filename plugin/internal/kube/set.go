package kube

import (
	"hash/maphash"
	"iter"
)

// set finds objects by the key that they have in them. A slot costs a pointer;
// in a map the keys of a cluster's Pods alone would cost megabytes. It is a hash
// table with linear probing.
type set[K comparable, T any] struct {
	key   func(*T) K
	seed  maphash.Seed
	slots []*T // their number is a power of two, and at least one is nil
	count int
	marks []bool // of the slots, between clearMarks and unmarked; else nil
}

func newSet[K comparable, T any](key func(*T) K) *set[K, T] {
	return &set[K, T]{key: key, seed: maphash.MakeSeed(), slots: make([]*T, 8)}
}

// at returns the object with a key, or nil.
func (s *set[K, T]) at(key K) *T { return s.slots[s.find(key)] }

// put adds an object, or replaces the one with its key.
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

// clearMarks begins to mark objects.
func (s *set[K, T]) clearMarks() { s.marks = make([]bool, len(s.slots)) }

// mark marks the object with a key, which must be there.
func (s *set[K, T]) mark(key K) {
	if s.marks != nil {
		s.marks[s.find(key)] = true
	}
}

// unmarked ends to mark objects, and returns the keys of those that were not.
func (s *set[K, T]) unmarked() (keys []K) {
	for slot, marked := range s.marks {
		if object := s.slots[slot]; object != nil && !marked {
			keys = append(keys, s.key(object))
		}
	}
	s.marks = nil
	return keys
}

// remove removes the object with a key, and moves up those that had to step
// aside for it.
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

// take empties a slot.
func (s *set[K, T]) take(slot int) (object *T, marked bool) {
	object, s.slots[slot] = s.slots[slot], nil
	if s.marks != nil {
		marked, s.marks[slot] = s.marks[slot], false
	}
	return object, marked
}

// place fills the slot that an object has to be in.
func (s *set[K, T]) place(object *T, marked bool) {
	slot := s.find(s.key(object))
	s.slots[slot] = object
	if s.marks != nil {
		s.marks[slot] = marked
	}
}

// all iterates over the objects, which must stay the same meanwhile.
func (s *set[K, T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, object := range s.slots {
			if object != nil && !yield(object) {
				return
			}
		}
	}
}

// find is the slot of the object with a key, or the empty one that it would take.
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
