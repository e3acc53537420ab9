package refcluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

var (
	small  = Shape{Seed: 1, Namespaces: 3, Services: 50, Headless: 7, Endpoints: 733, Pods: 90, Largest: 150}
	shapes = map[string]Shape{
		"small":        small,
		"all headless": {Seed: 1, Namespaces: 1, Services: 4, Headless: 4, Endpoints: 4, Pods: 4, Largest: 1},
		"large slices": {Seed: 1, Namespaces: 2, Services: 3, Headless: 1, Endpoints: 1001, Largest: 101},
	}
)

func TestShapeCounts(t *testing.T) {
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			headless, endpoints, namespaces := 0, 0, map[string]bool{}
			for i := range s.Services {
				namespaces[s.service(i).Namespace] = true
				if s.service(i).Spec.ClusterIP == "None" {
					headless++
				}
				for _, slice := range s.slices(i) {
					endpoints += len(slice.Endpoints)
				}
			}
			if headless != s.Headless || endpoints != s.Endpoints || len(namespaces) != s.Namespaces {
				t.Errorf("%d headless, %d endpoints, %d namespaces, want %s", headless, endpoints, len(namespaces), s)
			}
		})
	}
}

func TestReferenceClusterHasTenEndpointsInMostServices(t *testing.T) {
	if err := Reference.Check(); err != nil {
		t.Fatal(err)
	}
	sizes := map[int]int{}
	for i := range Reference.Services {
		from, to := Reference.EndpointRange(i)
		sizes[to-from]++
	}
	if sizes[10] < 9000 || sizes[9]+sizes[10] != 9999 || sizes[1000] != 1 {
		t.Errorf("Services by number of endpoints: %v", sizes)
	}
}

func TestEndpointsBelongToTheirService(t *testing.T) {
	for name, s := range shapes {
		for i := range s.Services {
			from, to := s.EndpointRange(i)
			for e := from; e < to; e++ {
				if got := s.ServiceOf(e); got != i {
					t.Fatalf("%s: endpoint %d is of Service %d, want %d", name, e, got, i)
				}
			}
		}
	}
}

func TestNamesAreLabelsAndUnique(t *testing.T) {
	seen := map[string]bool{}
	check := func(kind, namespace, name string) {
		if problems := validation.IsDNS1035Label(name); problems != nil {
			t.Errorf("%s %q: %s", kind, name, problems)
		}
		if key := kind + " " + namespace + "/" + name; seen[key] {
			t.Errorf("twice: %s", key)
		} else {
			seen[key] = true
		}
	}
	for i := range small.Namespaces {
		check("namespace", "", small.namespace(i).Name)
	}
	for i := range small.Services {
		check("Service", small.service(i).Namespace, small.service(i).Name)
	}
	for i := range small.Endpoints {
		check("Pod", small.NamespaceOfService(small.ServiceOf(i)), small.PodName(i))
	}
}

func TestHostnamesOfHeadlessEndpoints(t *testing.T) {
	for i := range small.Services {
		for _, slice := range small.slices(i) {
			for _, e := range slice.Endpoints {
				if (e.Hostname != nil) != small.IsHeadless(i) {
					t.Errorf("Service %d: hostname %v", i, e.Hostname)
				}
			}
		}
	}
}

func TestPodsAreBehindEndpoints(t *testing.T) {
	slice := small.slices(small.Changing())[0]
	from, _ := small.EndpointRange(small.Changing())
	pod := small.pod(from)
	e := slice.Endpoints[0]
	if pod.Name != e.TargetRef.Name || pod.Namespace != e.TargetRef.Namespace || pod.Status.PodIP != e.Addresses[0] {
		t.Errorf("Pod %s/%s at %s, endpoint refers to %v at %v", pod.Namespace, pod.Name, pod.Status.PodIP, e.TargetRef, e.Addresses)
	}
}

func TestObjectsFollowFromTheSeed(t *testing.T) {
	sum := func(s Shape) string {
		h := sha256.New()
		if err := s.hash(h); err != nil {
			t.Fatal(err)
		}
		return string(h.Sum(nil))
	}
	other := small
	other.Seed++
	if first, second := sum(small), sum(small); first != second {
		t.Error("the same shape gives other objects the second time")
	}
	if sum(small) == sum(other) {
		t.Error("another seed gives the same objects")
	}
}

func TestAddressBlocksDoNotOverlap(t *testing.T) {
	ends := []netip.Addr{
		FirstClusterIP, AddressAt(FirstClusterIP, MaxServices),
		FirstEndpoint, AddressAt(FirstEndpoint, 1<<20),
		FirstChanged, AddressAt(FirstChanged, 1<<20-2),
		FirstFresh,
	}
	if !slices.IsSortedFunc(ends, netip.Addr.Compare) {
		t.Errorf("not in order: %v", ends)
	}
	if last, want := ends[1], netip.MustParseAddr("10.96.251.0"); last != want {
		t.Errorf("last ClusterIP is %s, want %s", last, want)
	}
}

func TestShapeChecks(t *testing.T) {
	for name, change := range map[string]func(*Shape){
		"no Services":              func(s *Shape) { s.Services = 0 },
		"too many Services":        func(s *Shape) { s.Services, s.Endpoints = 70_000, 80_000 },
		"fewer than namespaces":    func(s *Shape) { s.Services = 50 },
		"none headless":            func(s *Shape) { s.Headless = 0 },
		"more headless than there": func(s *Shape) { s.Headless = 20_000 },
		"a Service has none":       func(s *Shape) { s.Endpoints = 9_999 },
		"more Pods than endpoints": func(s *Shape) { s.Pods = 100_001 },
		"all in the largest":       func(s *Shape) { s.Largest = s.Endpoints },
	} {
		s := Reference
		if change(&s); s.Check() == nil {
			t.Errorf("%s: no error for %s", name, s)
		}
	}
}

func TestLastServiceIsHeadlessAndLargest(t *testing.T) {
	for name, s := range shapes {
		if from, to := s.EndpointRange(s.Services - 1); !s.IsHeadless(s.Services-1) || to-from != s.Largest {
			t.Errorf("%s: the last Service has %d endpoints, want %d", name, to-from, s.Largest)
		}
	}
}

func TestParallelDoesEachOnce(t *testing.T) {
	const n = 100
	var done [n]atomic.Int32
	err := Parallel(t.Context(), 8, n, func(_ context.Context, i int) error { done[i].Add(1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if done[i].Load() != 1 {
			t.Errorf("number %d done %d times", i, done[i].Load())
		}
	}
}

func TestParallelEndsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	err := Parallel(t.Context(), 4, 1_000_000, func(_ context.Context, i int) error {
		if i == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
