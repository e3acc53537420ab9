package kube

import (
	"slices"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const tenSecondsAgo = testEpoch - 10

// sliceFrom returns the EndpointSlice web of a Service, with a trigger time in unix
// seconds.
func sliceFrom(service, address string, date int64) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address}}}}
	s.Namespace, s.Name = "shop", "web"
	s.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	s.Annotations = map[string]string{"endpoints.kubernetes.io/last-change-trigger-time": time.Unix(date, 0).UTC().Format(time.RFC3339Nano)}
	return s
}

// newTimedWriter makes a writer with the Services web (with a ClusterIP) and db (headless),
// and the EndpointSlice web of Service web.
func newTimedWriter(t *testing.T) (*writer, resource, *observations, *clocktesting.FakeClock) {
	t.Helper()
	wr, resources, clock := newTestWriter(Config{})
	seen := newObservations()
	wr.observer = seen
	listAll(wr, resources[1:])
	list(wr, resources[0], serviceObject("web", "10.0.0.1"), serviceObject("db", "None"))
	wr.apply(resources[2].put(sliceFrom("web", "10.1.0.1", tenSecondsAgo)))
	return wr, resources[2], seen, clock
}

func TestProgrammed(t *testing.T) {
	undated, nonsense := sliceFrom("web", "10.1.0.2", 0), sliceFrom("web", "10.1.0.2", 0)
	undated.Annotations = nil
	for key := range nonsense.Annotations {
		nonsense.Annotations[key] = "yesterday"
	}
	for _, tc := range []struct {
		name string
		now  *discoveryv1.EndpointSlice
		want []string
	}{
		{"a Service with a ClusterIP", sliceFrom("web", "10.1.0.2", tenSecondsAgo), []string{"cluster_ip 10s"}},
		{"a headless Service", sliceFrom("db", "10.1.0.2", tenSecondsAgo), []string{"headless_with_selector 10s"}},
		{"a Service that is not known", sliceFrom("other", "10.1.0.2", tenSecondsAgo), nil},
		{"no Service", sliceFrom("", "10.1.0.2", tenSecondsAgo), nil},
		{"nothing that DNS could see", sliceFrom("web", "10.1.0.1", tenSecondsAgo), nil},
		{"no date", undated, nil},
		{"a date that is none", nonsense, nil},
		{"a clock behind the controller's", sliceFrom("web", "10.1.0.2", testEpoch+10), []string{"cluster_ip 0s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wr, r, seen, _ := newTimedWriter(t)
			wr.apply(r.event(tc.now))
			wr.apply(wr.resources[0].event(serviceObject("later", "10.0.0.9"))) // a commit that has nothing to do with it
			if !slices.Equal(seen.programmed, tc.want) {
				t.Errorf("%q", seen.programmed)
			}
		})
	}
}

// D25: a list may bring changes of any age.
func TestD25ListsAreNotProgrammed(t *testing.T) {
	wr, r, seen, _ := newTimedWriter(t)
	wr.apply(r.put(sliceFrom("web", "10.1.0.2", tenSecondsAgo)))
	list(wr, r)
	wr.apply(r.event(sliceFrom("web", "10.1.0.3", tenSecondsAgo)))
	wr.apply(r.drop(sliceFrom("web", "10.1.0.3", tenSecondsAgo)))
	if want := []string{"cluster_ip 10s"}; !slices.Equal(seen.programmed, want) {
		t.Errorf("%q", seen.programmed)
	}
}

// visible is an Observer that records whether a change is visible when it is reported.
type visible struct {
	*observations
	store  *cluster.Store
	before *cluster.Snapshot
	early  bool
}

func (v *visible) Programmed(kind string, latency time.Duration) {
	v.early = v.early || v.store.Load() == v.before
	v.observations.Programmed(kind, latency)
}

// The latency ends with the commit, for every change of a batch.
func TestProgrammedAfterTheCommit(t *testing.T) {
	wr, r, seen, clock := newTimedWriter(t)
	watching := &visible{observations: seen, store: wr.store, before: wr.store.Load()}
	wr.observer = watching
	wr.changes <- func(*cluster.Txn) { clock.Step(5 * time.Second) }
	wr.apply(r.event(sliceFrom("web", "10.1.0.2", tenSecondsAgo)))
	wr.apply(r.event(sliceFrom("web", "10.1.0.3", testEpoch)))
	if want := []string{"cluster_ip 15s", "cluster_ip 5s"}; !slices.Equal(seen.programmed, want) {
		t.Errorf("%q", seen.programmed)
	}
	if watching.early {
		t.Error("told before the commit")
	}
}

// Before the sync nothing is answered, so nothing is visible.
func TestProgrammedAfterTheSync(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	seen := newObservations()
	wr.observer = seen
	wr.apply(resources[0].put(serviceObject("web", "10.0.0.1")))
	wr.apply(resources[2].event(sliceFrom("web", "10.1.0.1", tenSecondsAgo)))
	listAll(wr, resources)
	wr.apply(resources[0].event(serviceObject("web", "10.0.0.1")))
	if len(seen.programmed) > 0 {
		t.Errorf("%q", seen.programmed)
	}
}
