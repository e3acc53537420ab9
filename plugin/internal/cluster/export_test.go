package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Fingerprint returns a text of everything that a snapshot can reach.
func Fingerprint(s *Snapshot) string {
	lines := []string{fmt.Sprint(s.synced, s.serial, s.Counts())}
	for name := range s.namespaces.All() {
		lines = append(lines, fmt.Sprint("namespace ", name))
	}
	for kind, tree := range map[string]*radix.Tree[Key, *ServiceNode]{"service": &s.services, "import": &s.imports} {
		for key, n := range tree.All() {
			lines = append(lines, fmt.Sprintf("%s %v %v %p", kind, key, n.Key, n.Service))
			for _, slice := range n.Slices {
				lines = append(lines, fmt.Sprintf("%s %v %s %p %v", kind, key, slice.Name, slice, slices.Collect(slice.Endpoints.All())))
			}
		}
	}
	for a, key := range s.clusterIPs.All() {
		lines = append(lines, fmt.Sprint("owner ", a, *key))
	}
	for a, key := range s.endpoints.All() {
		lines = append(lines, fmt.Sprint("host ", a, *key))
	}
	for a, pod := range s.pods.All() {
		lines = append(lines, fmt.Sprintf("pod %s %p", a, pod))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// SameAddrs reports whether two Pods have the same addresses.
func (p *Pod) SameAddrs(other *Pod) bool { return p.sameAddrs(other) }

// Dirty reports whether the store has changes that its checkpoint does not have.
func (s *Store) Dirty() bool { return s.dirty }

// AnyService returns the node of a Service or nil, even if only its slices are known.
func (s *Snapshot) AnyService(k Key) *ServiceNode {
	n, _ := s.services.Get(k)
	return n
}

// AnyImport returns the node of a ServiceImport or nil, even if only its slices are known.
func (s *Snapshot) AnyImport(k Key) *ServiceNode {
	n, _ := s.imports.Get(k)
	return n
}
