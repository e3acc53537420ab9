package main

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

var (
	small  = shape{Seed: 1, Namespaces: 3, Services: 50, Headless: 7, Endpoints: 733, Pods: 90}
	shapes = map[string]shape{
		"small":        small,
		"all headless": {Seed: 1, Namespaces: 1, Services: 4, Headless: 4, Endpoints: 4, Pods: 4},
		"large slices": {Seed: 1, Namespaces: 2, Services: 3, Headless: 1, Endpoints: 1001},
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

func TestReferenceClusterHasOneSliceOfTenEach(t *testing.T) {
	o, err := parseFlags(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 9, 5000, 9999} {
		if slices := o.shape.slices(i); len(slices) != 1 || len(slices[0].Endpoints) != 10 {
			t.Errorf("Service %d has %d slices, want one with ten endpoints", i, len(slices))
		}
	}
	if o.shape.Headless != 1000 {
		t.Errorf("%d headless Services, want 1000", o.shape.Headless)
	}
}

func TestEndpointsBelongToTheirService(t *testing.T) {
	for name, s := range shapes {
		for i := range s.Services {
			from, to := s.endpoints(i)
			for e := from; e < to; e++ {
				if got := s.serviceOf(e); got != i {
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
		check("Pod", small.namespaceOfService(small.serviceOf(i)), small.podName(i))
	}
}

func TestHostnamesOfHeadlessEndpoints(t *testing.T) {
	for i := range small.Services {
		for _, slice := range small.slices(i) {
			for _, e := range slice.Endpoints {
				if (e.Hostname != nil) != small.headless(i) {
					t.Errorf("Service %d: hostname %v", i, e.Hostname)
				}
			}
		}
	}
}

func TestPodsAreBehindEndpoints(t *testing.T) {
	slice := small.slices(small.changing())[0]
	from, _ := small.endpoints(small.changing())
	pod := small.pod(from)
	e := slice.Endpoints[0]
	if pod.Name != e.TargetRef.Name || pod.Namespace != e.TargetRef.Namespace || pod.Status.PodIP != e.Addresses[0] {
		t.Errorf("Pod %s/%s at %s, endpoint refers to %v at %v", pod.Namespace, pod.Name, pod.Status.PodIP, e.TargetRef, e.Addresses)
	}
}

func TestObjectsFollowFromTheSeed(t *testing.T) {
	sum := func(s shape) string {
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

func TestSteadyQuestionsLeaveTheChangingServiceOut(t *testing.T) {
	questions := small.steadyQuestions(12)
	if len(questions) != 12 {
		t.Fatalf("%d questions, want 12", len(questions))
	}
	seen := map[string]bool{small.question(small.changing()): true}
	for _, q := range questions {
		if seen[q.qname] {
			t.Errorf("%s is asked twice or changes", q.qname)
		}
		seen[q.qname] = true
		if !slices.IsSorted(strings.Fields(q.want)) || q.want == "" {
			t.Errorf("%s: want %q, which is not in order", q.qname, q.want)
		}
	}
}

func TestAddressBlocksDoNotOverlap(t *testing.T) {
	ends := []netip.Addr{
		firstClusterIP, addressAt(firstClusterIP, maxServices),
		firstEndpoint, addressAt(firstEndpoint, 1<<20),
		firstChanged, addressAt(firstChanged, 1<<20-2),
		firstFresh,
	}
	if !slices.IsSortedFunc(ends, netip.Addr.Compare) {
		t.Errorf("not in order: %v", ends)
	}
	if last, want := ends[1], netip.MustParseAddr("10.96.251.0"); last != want {
		t.Errorf("last ClusterIP is %s, want %s", last, want)
	}
}

func TestShapeChecks(t *testing.T) {
	for _, args := range [][]string{
		{"-services", "0"}, {"-services", "70000", "-endpoints", "70000"}, {"-services", "50"},
		{"-headless", "0"}, {"-headless", "20000"}, {"-endpoints", "9999"}, {"-pods", "100001"}, {"-runs", "0"}, {"more"},
	} {
		if _, err := parseFlags(args); err == nil {
			t.Errorf("no error for %v", args)
		}
	}
}
