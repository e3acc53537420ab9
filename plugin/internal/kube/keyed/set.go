// Package keyed has sets of objects that are found by the key in them.
//
// The rule not to break: an object must not change its key while it is in a set.
package keyed

import "hash/maphash"

// Set finds objects by the key that they contain. It is a hash table with linear probing,
// in which a slot takes one pointer: the keys of a map would take megabytes for the Pods of
// a large cluster.
type Set[K comparable, T any] struct {
	key   func(*T) K
	seed  maphash.Seed
	slots []*T // their number is a power of two, and at least one is nil
	count int
	marks []bool // marks of the slots, from ClearMarks to Unmarked; nil otherwise
}

// New makes an empty set of objects, of which key returns the key.
func New[K comparable, T any](key func(*T) K) *Set[K, T] {
	return &Set[K, T]{key: key, seed: maphash.MakeSeed(), slots: make([]*T, 8)}
}

// At returns the object with a key, or nil.
func (s *Set[K, T]) At(key K) *T { return s.slots[s.find(key)] }

// Len returns the number of objects.
func (s *Set[K, T]) Len() int { return s.count }

// Marks reports whether marks are recorded.
func (s *Set[K, T]) Marks() bool { return s.marks != nil }

// Put adds an object, or replaces the object with the same key.
func (s *Set[K, T]) Put(object *T) {
	slot := s.find(s.key(object))
	if s.slots[slot] == nil {
		s.count++
	}
	s.slots[slot] = object
	if s.count*8 > len(s.slots)*7 {
		s.grow()
	}
}

// ClearMarks begins to record marks, with no object marked.
func (s *Set[K, T]) ClearMarks() { s.marks = make([]bool, len(s.slots)) }

// Mark marks the object with a key, if marks are recorded. The object must be in the set.
func (s *Set[K, T]) Mark(key K) {
	if s.marks != nil {
		s.marks[s.find(key)] = true
	}
}

// Unmarked returns the keys of the objects without a mark, and stops recording marks.
func (s *Set[K, T]) Unmarked() (keys []K) {
	for slot, marked := range s.marks {
		if object := s.slots[slot]; object != nil && !marked {
			keys = append(keys, s.key(object))
		}
	}
	s.marks = nil
	return keys
}

// Remove removes the object with a key, and moves the objects after it closer to the slots
// that their hashes choose.
func (s *Set[K, T]) Remove(key K) {
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
func (s *Set[K, T]) take(slot int) (object *T, marked bool) {
	object, s.slots[slot] = s.slots[slot], nil
	if s.marks != nil {
		marked, s.marks[slot] = s.marks[slot], false
	}
	return object, marked
}

// place puts an object into the first free slot for its key.
func (s *Set[K, T]) place(object *T, marked bool) {
	slot := s.find(s.key(object))
	s.slots[slot] = object
	if s.marks != nil {
		s.marks[slot] = marked
	}
}

// find returns the slot of the object with a key, or the empty slot that it would take.
func (s *Set[K, T]) find(key K) int {
	slot := int(maphash.Comparable(s.seed, key)) & (len(s.slots) - 1)
	for s.slots[slot] != nil && s.key(s.slots[slot]) != key {
		slot = s.after(slot)
	}
	return slot
}

func (s *Set[K, T]) after(slot int) int { return (slot + 1) & (len(s.slots) - 1) }

func (s *Set[K, T]) grow() {
	old := *s
	s.slots = make([]*T, 2*len(old.slots))
	if old.marks != nil {
		s.ClearMarks()
	}
	for slot, object := range old.slots {
		if object != nil {
			s.place(object, old.marks != nil && old.marks[slot])
		}
	}
}
