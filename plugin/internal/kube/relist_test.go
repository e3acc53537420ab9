package kube

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newListed makes a synced writer with a Namespace and a Service that has the address
// 10.0.0.1.
func newListed() (*writer, []resource) {
	wr, resources, _ := newTestWriter(Config{})
	listAll(wr, resources[1:])
	wr.apply(resources[1].event(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	list(wr, resources[0], serviceObject("old", "10.0.0.1"), serviceObject("stays", "10.0.0.9"))
	return wr, resources
}

// A7: a list that is not the first shows nothing before its end, not even an object that
// now has another object's address. At its end everything becomes visible in one step.
func TestA7RelistIsShownWhole(t *testing.T) {
	wr, resources := newListed()
	services := resources[0]
	before := wr.store.Load()

	wr.apply(services.begin())
	wr.apply(services.put(serviceObject("new", "10.0.0.1")))
	wr.apply(services.put(serviceObject("stays", "10.0.0.8")))
	wr.apply(services.put(serviceObject("short", "10.0.0.7")))
	wr.apply(services.drop(serviceObject("short", "10.0.0.7")))
	if wr.store.Load() != before {
		t.Error("the list has made a commit before its end")
	}
	for name, want := range map[string]string{"old": "10.0.0.1", "new": nxDomain, "stays": "10.0.0.9"} {
		wantA(t, wr, name, want)
	}

	// Watches of other kinds continue meanwhile.
	wr.apply(resources[1].event(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "other"}}))
	if wr.store.Load() == before {
		t.Error("another kind's event is held back")
	}

	wr.apply(services.end())
	for name, want := range map[string]string{"old": nxDomain, "new": "10.0.0.1", "stays": "10.0.0.8", "short": nxDomain} {
		wantA(t, wr, name, want)
	}
	if got := ask(t, wr.store, "1.0.0.10.in-addr.arpa.", typePTR); got != "new.shop.svc.cluster.local." {
		t.Errorf("PTR is %s", got)
	}
}

func wantA(t *testing.T, wr *writer, name, want string) {
	t.Helper()
	if got := ask(t, wr.store, name+".shop.svc.cluster.local.", typeA); got != want {
		t.Errorf("%s has %s, want %s", name, got, want)
	}
}

// A7: an object that appears and disappears during the list, or changes back, makes no
// difference.
func TestA7RelistWithoutADifference(t *testing.T) {
	wr, resources := newListed()
	services := resources[0]
	before := wr.store.Load()
	wr.apply(services.begin())
	for _, address := range []string{"10.0.0.2", "10.0.0.1"} {
		wr.apply(services.put(serviceObject("old", address)))
	}
	wr.apply(services.drop(serviceObject("stays", "")))
	wr.apply(services.put(serviceObject("stays", "10.0.0.9")))
	wr.apply(services.end())
	if wr.store.Load() != before {
		t.Error("a list without a difference has made a commit")
	}
}

// A7: an object that is deleted during the list is gone at its end.
func TestA7DroppedWhileListed(t *testing.T) {
	wr, resources := newListed()
	services := resources[0]
	wr.apply(services.begin())
	wr.apply(services.put(serviceObject("stays", "10.0.0.9")))
	wr.apply(services.put(serviceObject("old", "10.0.0.1")))
	wr.apply(services.drop(serviceObject("old", "10.0.0.1")))
	wantA(t, wr, "old", "10.0.0.1")
	wr.apply(services.end())
	wantA(t, wr, "old", nxDomain)
	wantA(t, wr, "stays", "10.0.0.9")
}

// A7: the differences that an aborted list has kept back are forgotten.
func TestA7RelistBreaksOff(t *testing.T) {
	wr, resources := newListed()
	services := resources[0]
	wr.apply(services.begin())
	wr.apply(services.put(serviceObject("new", "10.0.0.1")))
	list(wr, services, serviceObject("old", "10.0.0.1"), serviceObject("stays", "10.0.0.9"))
	wantA(t, wr, "new", nxDomain)
	wantA(t, wr, "old", "10.0.0.1")
}

// A7: the memory for differences is bounded. A list with more of them shows them as it is
// read.
func TestA7RelistOfManyDifferences(t *testing.T) {
	wr, resources := newListed()
	services := resources[0]
	wr.apply(services.begin())
	const kept = 1024 // at least, however few objects there are
	for i := range kept {
		wr.apply(services.put(serviceObject(fmt.Sprint("s", i), "10.0.1.1")))
	}
	wantA(t, wr, "s0", nxDomain)
	wr.apply(services.put(serviceObject("last", "10.0.0.3")))
	wantA(t, wr, "s0", "10.0.1.1")
	wantA(t, wr, "last", "10.0.0.3")
	wantA(t, wr, "old", "10.0.0.1")
	wr.apply(services.end())
	wantA(t, wr, "old", nxDomain)
	wantA(t, wr, "s0", "10.0.1.1")
}

// A7: the same holds for EndpointSlices, and their first list becomes visible as it is
// read.
func TestA7RelistOfSlices(t *testing.T) {
	wr, resources, _ := newTestWriter(Config{})
	slices := resources[2]
	unseen := wr.store.Load()
	wr.apply(slices.begin())
	wr.apply(slices.put(addressSlice("old", "10.244.0.1")))
	if wr.store.Load() == unseen {
		t.Error("the first list is kept back")
	}
	wr.apply(slices.end())
	before := wr.store.Load()
	wr.apply(slices.begin())
	wr.apply(slices.put(addressSlice("new", "10.244.0.1")))
	if wr.store.Load() != before {
		t.Error("the second list has made a commit before its end")
	}
	wr.apply(slices.end())
	if wr.store.Load() == before {
		t.Error("the second list is not seen")
	}
}

func addressSlice(service, address string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: service, Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}}},
	}
}
