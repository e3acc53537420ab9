package publish

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/test/kit/cost"
)

// What an object costs grows with its size, and not with its square. The API server bounds objects, but not so
// that the square would be harmless.
func TestLargeObjects(t *testing.T) {
	const many = 100000
	hosts := make([]string, many)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("h%d.example.org", i)
	}
	balancer := corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}}
	service := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}, Status: corev1.ServiceStatus{LoadBalancer: balancer}}
	service.Annotations = map[string]string{"coredns.io/hostname": strings.Join(hosts, ",")}
	ingress := &networkingv1.Ingress{Status: networkingv1.IngressStatus{LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.2"}}}}}
	for _, host := range hosts {
		ingress.Spec.Rules = append(ingress.Spec.Rules, networkingv1.IngressRule{Host: host})
	}
	route := &apiRoute{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "infra"}}
	parent := apiParentRef{Name: "front"}
	route.Spec.Hostnames, route.Spec.ParentRefs = hosts, []apiParentRef{parent}
	route.Status.Parents = append(route.Status.Parents, struct {
		ParentRef  apiParentRef       `json:"parentRef"`
		Conditions []metav1.Condition `json:"conditions"`
	}{parent, []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue}}})
	endpoint := new(apiDNSEndpoint)
	endpoint.Spec.Endpoints = append(endpoint.Spec.Endpoints, struct {
		DNSName    string   `json:"dnsName"`
		RecordType string   `json:"recordType"`
		Targets    []string `json:"targets"`
	}{"text.example.org", "TXT", hosts})
	for kind, object := range map[string]metav1.Object{"Service": service, "Ingress": ingress, "HTTPRoute": route, "DNSEndpoint": endpoint} {
		for _, inside := range []bool{false, true} {
			w := newWorld(t, func(s *Settings) { s.Zones, s.Inside = "example.org.", inside })
			w.apply(gatewayText("front", "192.0.2.3", open))
			cost.Ends(t, kind, func() {
				for _, k := range kinds {
					if k.Name == kind {
						w.set.Replace(w.store.Begin(), nil, k.Convert(w.settings, object))
					}
				}
			})
			if n := len(w.set.claims); n != map[bool]int{true: 1, false: many}[kind == "DNSEndpoint"] {
				t.Errorf("%s, inside %v: %d names", kind, inside, n)
			}
		}
	}
}

// A Gateway that many routes with one hostname lead to changes for all of them at once, and not once for each.
func TestManyOwnersOfOneName(t *testing.T) {
	w := newWorld(t)
	w.apply(gatewayText("front", "192.0.2.1", open))
	for i := range 6000 {
		w.apply(routeText(fmt.Sprintf("r%d", i), "api.example.org", front))
	}
	cost.Ends(t, "a change of the Gateway", func() { w.apply(gatewayText("front", "192.0.2.2", open)) })
	if w.want("api.example.org.", "192.0.2.2"); len(w.warnings) > 0 || w.set.Contested() != 0 {
		t.Errorf("%d contested, %q", w.set.Contested(), w.warnings[:min(1, len(w.warnings))])
	}
}
