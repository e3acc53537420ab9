package kube

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// After any operations, a set has what a map would have.
func TestSetIsLikeAMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		s, m := newSet(serviceKey), make(map[cluster.Key]*cluster.Service)
		for range 3000 {
			key := cluster.Key{Namespace: fmt.Sprint(random.IntN(10)), Name: fmt.Sprint(random.IntN(50))}
			if random.IntN(3) == 0 {
				s.remove(key)
				delete(m, key)
			} else {
				object := &cluster.Service{Key: key}
				s.put(object)
				m[key] = object
			}
			if s.count != len(m) || s.at(key) != m[key] {
				t.Fatalf("seed %d: %d objects, want %d", seed, s.count, len(m))
			}
		}
		if got := slices.Collect(s.all()); len(got) != len(m) {
			t.Fatalf("seed %d: iterates over %d objects, want %d", seed, len(got), len(m))
		}
		for key := range maps.Keys(m) {
			if s.at(key) != m[key] {
				t.Fatalf("seed %d: %v is lost", seed, key)
			}
		}
	}
}

func TestSetIterationStops(t *testing.T) {
	s := newSet(namespaceKey)
	s.put(&namespace{"a"})
	s.put(&namespace{"b"})
	for range s.all() {
		break
	}
	s.remove(cluster.Key{Name: "c"})
	if s.count != 2 {
		t.Errorf("%d objects", s.count)
	}
}
