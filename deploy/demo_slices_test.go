package deploy

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	validate "k8s.io/apimachinery/pkg/util/validation"
)

// Controllers of a real cluster derive slices from Services and Pods. The demo's slices are
// written by hand, so these tests check that a controller would write the same.

func TestDemoSlices(t *testing.T) {
	d := readDemo(t)
	for _, slice := range d.slices {
		t.Run(slice.Namespace+"/"+slice.Name, func(t *testing.T) {
			svc := d.service(slice.Namespace, slice.Labels[discoveryv1.LabelServiceName])
			if svc == nil {
				t.Fatalf("no Service for the labels %v", slice.Labels)
			}
			checkSliceLabels(t, svc, slice)
			checkSlicePorts(t, svc, slice)
			for _, endpoint := range slice.Endpoints {
				checkEndpoint(t, svc, slice, endpoint)
				checkTarget(t, d, svc, endpoint)
			}
		})
	}
}

func checkSliceLabels(t *testing.T, svc *corev1.Service, slice *discoveryv1.EndpointSlice) {
	t.Helper()
	_, labelled := slice.Labels[corev1.IsHeadlessService]
	if headless := svc.Spec.ClusterIP == corev1.ClusterIPNone; labelled != headless {
		t.Errorf("label %s: %v, but headless: %v", corev1.IsHeadlessService, labelled, headless)
	}
	if !slices.Contains(svc.Spec.IPFamilies, corev1.IPFamily(slice.AddressType)) {
		t.Errorf("addressType %s, but ipFamilies %v", slice.AddressType, svc.Spec.IPFamilies)
	}
}

// port has the fields that ports of a Service and of its slices have in common.
type port struct {
	name     string
	number   int32
	protocol corev1.Protocol
}

func checkSlicePorts(t *testing.T, svc *corev1.Service, slice *discoveryv1.EndpointSlice) {
	t.Helper()
	var want, got []port
	for _, p := range svc.Spec.Ports {
		want = append(want, port{p.Name, p.TargetPort.IntVal, p.Protocol})
	}
	for _, p := range slice.Ports {
		got = append(got, port{*p.Name, *p.Port, *p.Protocol})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(port{})); diff != "" {
		t.Errorf("the Service's target ports (-), the slice's ports (+):\n%s", diff)
	}
}

func checkEndpoint(t *testing.T, svc *corev1.Service, slice *discoveryv1.EndpointSlice, e discoveryv1.Endpoint) {
	t.Helper()
	if len(e.Addresses) != 1 {
		t.Fatalf("addresses %v: want one", e.Addresses)
	}
	ranges := podRanges
	if svc.Spec.Selector == nil {
		ranges = nodeRanges
	}
	if got := family(t, e.Addresses[0], ranges); got != corev1.IPFamily(slice.AddressType) {
		t.Errorf("%s in a slice of %s", e.Addresses[0], slice.AddressType)
	}
	if e.Hostname != nil && len(validate.IsDNS1123Label(*e.Hostname)) > 0 {
		t.Errorf("hostname %q: not a DNS label", *e.Hostname)
	}
}

// checkTarget compares an endpoint with its Pod by the rule of the EndpointSlice
// controller. A Service without a selector has no Pods.
func checkTarget(t *testing.T, d demo, svc *corev1.Service, e discoveryv1.Endpoint) {
	t.Helper()
	if svc.Spec.Selector == nil {
		return
	}
	pod, _ := d.objs[key{"Pod", e.TargetRef.Namespace, e.TargetRef.Name}].(*corev1.Pod)
	if pod == nil {
		t.Fatalf("no pod %s/%s", e.TargetRef.Namespace, e.TargetRef.Name)
	}
	if !slices.Contains(pod.Status.PodIPs, corev1.PodIP{IP: e.Addresses[0]}) {
		t.Errorf("%s has %v, not %s", pod.Name, pod.Status.PodIPs, e.Addresses[0])
	}
	want := discoveryv1.Endpoint{
		Addresses:  e.Addresses,
		Conditions: conditions(svc, pod),
		Hostname:   hostname(svc, pod),
		NodeName:   &pod.Spec.NodeName,
		Zone:       e.Zone,
		TargetRef:  e.TargetRef,
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("by the pod (-), in the slice (+):\n%s", diff)
	}
}

func hostname(svc *corev1.Service, pod *corev1.Pod) *string {
	if pod.Spec.Hostname == "" || pod.Spec.Subdomain != svc.Name {
		return nil
	}
	return &pod.Spec.Hostname
}

func conditions(svc *corev1.Service, pod *corev1.Pod) discoveryv1.EndpointConditions {
	serving := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	terminating := pod.DeletionTimestamp != nil
	ready := svc.Spec.PublishNotReadyAddresses || serving && !terminating
	return discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}
}

func TestDemoSlicesHaveEveryPod(t *testing.T) {
	d := readDemo(t)
	for _, svc := range d.services {
		if svc.Spec.Selector == nil {
			continue
		}
		for _, ipFamily := range svc.Spec.IPFamilies {
			want, got := d.podNames(svc), d.targetNames(svc, ipFamily)
			if len(want) == 0 || !want.Equal(got) {
				t.Errorf("%s, %s: selects %v, its slices have %v", svc.Name, ipFamily, sets.List(want), sets.List(got))
			}
		}
	}
}

func (d demo) podNames(svc *corev1.Service) sets.Set[string] {
	names := sets.New[string]()
	for _, pod := range d.podsOf(svc) {
		names.Insert(pod.Name)
	}
	return names
}

func (d demo) targetNames(svc *corev1.Service, ipFamily corev1.IPFamily) sets.Set[string] {
	names := sets.New[string]()
	for _, e := range d.endpoints(svc, ipFamily) {
		names.Insert(e.TargetRef.Name)
	}
	return names
}

func (d demo) endpoints(svc *corev1.Service, ipFamily corev1.IPFamily) []discoveryv1.Endpoint {
	var endpoints []discoveryv1.Endpoint
	for _, slice := range d.slicesOf(svc) {
		if corev1.IPFamily(slice.AddressType) == ipFamily {
			endpoints = append(endpoints, slice.Endpoints...)
		}
	}
	return endpoints
}
