package cluster

import "iter"

// These iterate over everything that a snapshot has, for copies of it elsewhere.

// Namespaces iterates over the names of the Namespaces.
func (s *Snapshot) Namespaces() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range s.namespaces.All() {
			if !yield(string(name)) {
				return
			}
		}
	}
}

// Nodes iterates over the nodes of Services, or of ServiceImports, including those of which only
// slices are known.
func (s *Snapshot) Nodes(imports bool) iter.Seq[*ServiceNode] {
	return func(yield func(*ServiceNode) bool) {
		for _, n := range s.in(imports).All() {
			if !yield(n) {
				return
			}
		}
	}
}

// Pods iterates over the Pods, each at its first address.
func (s *Snapshot) Pods() iter.Seq[*Pod] {
	return func(yield func(*Pod) bool) {
		for a, p := range s.pods.All() {
			for first := range p.Addrs() {
				if first == a && !yield(p) {
					return
				}
				break
			}
		}
	}
}
