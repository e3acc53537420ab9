package controlplane_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const runningPod = `
apiVersion: v1
kind: Pod
metadata: {name: web-0, labels: {app: web}}
spec:
  nodeName: node-1
  containers: [{name: web, image: web}]
status:
  phase: Running
  podIP: 10.244.0.7
  podIPs: [{ip: 10.244.0.7}]
  conditions: [{type: Ready, status: 'True'}]
`

const headless = `
# Comments between documents are no objects.
---
apiVersion: v1
kind: Namespace
metadata: {name: apply}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: apply}
spec:
  clusterIP: None
  ports: [{name: http, port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: headless-1
  namespace: apply
  labels: {kubernetes.io/service-name: headless}
addressType: IPv4
endpoints: [{addresses: [10.244.0.9]}]
ports: [{name: http, port: 80}]
`

func TestApplyCreatesAndUpdates(t *testing.T) {
	endpointSlices := cluster.Client().DiscoveryV1().EndpointSlices("apply")
	for _, address := range []string{"10.244.0.9", "10.244.0.10"} {
		apply(t, cluster, strings.ReplaceAll(headless, "10.244.0.9", address))
		slice, err := endpointSlices.Get(t.Context(), "headless-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := slice.Endpoints[0].Addresses; !slices.Equal(got, []string{address}) {
			t.Errorf("addresses = %v, want %s", got, address)
		}
	}
}

func TestApplyRemovesFieldsThatAreNoLongerNamed(t *testing.T) {
	apply(t, cluster, `{apiVersion: v1, kind: Service, metadata: {name: fewer}, spec: {selector: {app: a}, ports: [{port: 80}]}}`)
	clusterIP := service(t, cluster, "fewer").Spec.ClusterIP
	apply(t, cluster, `{apiVersion: v1, kind: Service, metadata: {name: fewer}, spec: {ports: [{port: 80}]}}`)
	spec := service(t, cluster, "fewer").Spec
	if len(spec.Selector) != 0 {
		t.Errorf("selector = %v, want none", spec.Selector)
	}
	if spec.ClusterIP != clusterIP {
		t.Errorf("clusterIP = %s, want %s as before", spec.ClusterIP, clusterIP)
	}
}

func TestApplyWritesStatus(t *testing.T) {
	for range 2 {
		apply(t, cluster, runningPod)
		pod, err := cluster.Client().CoreV1().Pods("default").Get(t.Context(), "web-0", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP != "10.244.0.7" {
			t.Errorf("phase %s at %s, want Running at 10.244.0.7", pod.Status.Phase, pod.Status.PodIP)
		}
	}
}

func TestApplyDefinesKinds(t *testing.T) {
	apply(t, cluster, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.example}
spec:
  group: test.example
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: test.example/v1
kind: Widget
metadata: {name: one}
status: {well: true}
`)
}

func TestApplyErrorsNameTheObject(t *testing.T) {
	tests := []struct {
		name, manifest string
		want           []string
	}{
		{"unknown kind", "{apiVersion: v1, kind: Nonsense, metadata: {name: a}}", []string{"document 1", "Nonsense /a", "no matches"}},
		{"missing namespace", serviceNamed("ok") + "\n---\n{apiVersion: v1, kind: Service, metadata: {name: a, namespace: absent}, spec: {ports: [{port: 80}]}}",
			[]string{"document 2", "Service absent/a", "not found"}},
		{"unknown field", "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {port: 80}}", []string{"document 1", "Service default/a", "port"}},
		{"no YAML", "a: [", []string{"document 1"}},
		{"key twice", "{apiVersion: v1, kind: Service, kind: Service}", []string{"document 1", "kind"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := cluster.Apply(t.Context(), []byte(tt.manifest))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not contain %q", err, want)
				}
			}
		})
	}
}
