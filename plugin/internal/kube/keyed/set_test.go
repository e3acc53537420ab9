package keyed

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// After any operations, a set has what a map would have.
func TestSetIsLikeAMap(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		s, m := New(func(s *cluster.Service) cluster.Key { return s.Key }), make(map[cluster.Key]*cluster.Service)
		for range 3000 {
			key := cluster.Key{Namespace: fmt.Sprint(random.IntN(10)), Name: fmt.Sprint(random.IntN(50))}
			if random.IntN(3) == 0 {
				s.Remove(key)
				delete(m, key)
			} else {
				object := &cluster.Service{Key: key}
				s.Put(object)
				m[key] = object
			}
			if s.Len() != len(m) || s.At(key) != m[key] {
				t.Fatalf("seed %d: %d objects, want %d", seed, s.Len(), len(m))
			}
		}
		s.ClearMarks()
		if got := s.Unmarked(); len(got) != len(m) {
			t.Fatalf("seed %d: has the keys of %d objects, want %d", seed, len(got), len(m))
		}
		for key := range maps.Keys(m) {
			if s.At(key) != m[key] {
				t.Fatalf("seed %d: %v is lost", seed, key)
			}
		}
	}
}

func TestRemoveWhatIsNotThere(t *testing.T) {
	s := New(func(name *string) string { return *name })
	for _, name := range []string{"a", "b"} {
		s.Put(&name)
	}
	s.Remove("c")
	if s.Len() != 2 {
		t.Errorf("%d objects", s.Len())
	}
}
