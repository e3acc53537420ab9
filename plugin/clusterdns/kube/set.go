package kube

import (
	"hash/maphash"
	"iter"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

// set finds objects by the key that they have in them. A slot costs a pointer;
// in a map the keys of a cluster's Pods alone would cost megabytes. It is a hash
// table with linear probing.
type set[T any] struct {
	key   func(*T) zone.Key
	seed  maphash.Seed
	slots []*T // their number is a power of two, and at least one is nil
	count int
}

func newSet[T any](key func(*T) zone.Key) *set[T] {
	return &set[T]{key: key, seed: maphash.MakeSeed(), slots: make([]*T, 8)}
}

// at returns the object with a key, or nil.
func (s *set[T]) at(key zone.Key) *T { return s.slots[s.find(key)] }

// put adds an object, or replaces the one with its key.
func (s *set[T]) put(object *T) {
	slot := s.find(s.key(object))
	if s.slots[slot] == nil {
		s.count++
	}
	s.slots[slot] = object
	if s.count*4 > len(s.slots)*3 {
		s.grow()
	}
}

// remove removes the object with a key, and moves up those that had to step
// aside for it.
func (s *set[T]) remove(key zone.Key) {
	gap := s.find(key)
	if s.slots[gap] == nil {
		return
	}
	s.slots[gap] = nil
	s.count--
	for slot := s.after(gap); s.slots[slot] != nil; slot = s.after(slot) {
		object := s.slots[slot]
		s.slots[slot] = nil
		s.slots[s.find(s.key(object))] = object
	}
}

// all iterates over the objects, which must stay the same meanwhile.
func (s *set[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, object := range s.slots {
			if object != nil && !yield(object) {
				return
			}
		}
	}
}

// find is the slot of the object with a key, or the empty one that it would take.
func (s *set[T]) find(key zone.Key) int {
	slot := int(maphash.Comparable(s.seed, key)) & (len(s.slots) - 1)
	for s.slots[slot] != nil && s.key(s.slots[slot]) != key {
		slot = s.after(slot)
	}
	return slot
}

func (s *set[T]) after(slot int) int { return (slot + 1) & (len(s.slots) - 1) }

func (s *set[T]) grow() {
	old := s.slots
	s.slots = make([]*T, 2*len(old))
	for _, object := range old {
		if object != nil {
			s.slots[s.find(s.key(object))] = object
		}
	}
}
