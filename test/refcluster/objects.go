package refcluster

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// perSlice is the number of endpoints after which Kubernetes' own controller begins
	// another EndpointSlice.
	perSlice = 100
	// nodes is the number of names that endpoints and Pods are spread over. There
	// are no Node objects.
	nodes = 500
	// triggerTime is constant, because the objects would otherwise differ each time.
	triggerTime = "2026-01-01T00:00:00Z"
)

// Ports are the ports of Services, which have one, two or three of them.
var Ports = []corev1.ServicePort{
	{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080), Protocol: corev1.ProtocolTCP},
	{Name: "metrics", Port: 9090, TargetPort: intstr.FromInt32(9090), Protocol: corev1.ProtocolTCP},
	{Name: "grpc", Port: 9000, TargetPort: intstr.FromInt32(9000), Protocol: corev1.ProtocolTCP},
}
var (
	teams = []string{"accounts", "billing", "catalog", "delivery", "events", "finance", "inventory", "payments", "search", "support"}
	roles = []string{"api", "backend", "cache", "frontend", "gateway", "queue", "scheduler", "store", "web", "worker"}
)

// NamespaceName returns the name of a namespace.
func (s Shape) NamespaceName(namespace int) string {
	return fmt.Sprintf("%s-%03d", teams[namespace%len(teams)], namespace)
}

// ServiceName returns the name of a Service, which is unique in the cluster.
func (s Shape) ServiceName(service int) string {
	r := s.random("service", service)
	return fmt.Sprintf("%s-%s-%05d", teams[r.IntN(len(teams))], roles[r.IntN(len(roles))], service)
}

// NamespaceOfService returns the name of the namespace that a Service is in.
func (s Shape) NamespaceOfService(service int) string {
	return s.NamespaceName(s.namespaceOf(service))
}

func (s Shape) namespace(namespace int) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.NamespaceName(namespace)}}
}

func (s Shape) service(service int) *corev1.Service {
	name := s.ServiceName(service)
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name:      name,
			Namespace: s.NamespaceOfService(service),
			Labels:    s.labels(name),
		},
		Spec: corev1.ServiceSpec{
			ClusterIP: s.ClusterIP(service),
			Ports:     s.ServicePorts(service),
			Selector:  map[string]string{"app.kubernetes.io/name": name},
		},
	}
}

// ClusterIP returns the address of a Service, or "None".
func (s Shape) ClusterIP(service int) string {
	if s.IsHeadless(service) {
		return corev1.ClusterIPNone
	}
	return AddressAt(FirstClusterIP, service).String()
}

// ServicePorts returns the ports of a Service.
func (s Shape) ServicePorts(service int) []corev1.ServicePort {
	return Ports[:1+s.random("ports", service).IntN(len(Ports))]
}

func (s Shape) labels(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"}
}

// slices returns the EndpointSlices of a Service, as Kubernetes' own controller
// would write them.
func (s Shape) slices(service int) []*discoveryv1.EndpointSlice {
	var all []*discoveryv1.EndpointSlice
	from, to := s.EndpointRange(service)
	for ; from < to; from += perSlice {
		slice := s.emptySlice(service, len(all))
		for i := from; i < min(from+perSlice, to); i++ {
			slice.Endpoints = append(slice.Endpoints, s.endpoint(service, i))
		}
		all = append(all, slice)
	}
	return all
}

// SliceName returns the name of the nth EndpointSlice of a Service, from 0.
func (s Shape) SliceName(service, n int) string {
	return fmt.Sprintf("%s-%d", s.ServiceName(service), n)
}

func (s Shape) emptySlice(service, n int) *discoveryv1.EndpointSlice {
	labels := s.labels(s.ServiceName(service))
	labels[discoveryv1.LabelServiceName] = s.ServiceName(service)
	labels[discoveryv1.LabelManagedBy] = "endpointslice-controller.k8s.io"
	if s.IsHeadless(service) {
		labels[corev1.IsHeadlessService] = ""
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name:        s.SliceName(service, n),
			Namespace:   s.NamespaceOfService(service),
			Labels:      labels,
			Annotations: map[string]string{corev1.EndpointsLastChangeTriggerTime: triggerTime},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, port := range s.ServicePorts(service) {
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{
			Name: new(port.Name), Port: new(port.TargetPort.IntVal), Protocol: new(port.Protocol),
		})
	}
	return slice
}

func (s Shape) endpoint(service, i int) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{
		Addresses: []string{EndpointAddress(i).String()},
		Conditions: discoveryv1.EndpointConditions{
			Ready: new(true), Serving: new(true), Terminating: new(false),
		},
		NodeName: new(nodeName(i)),
		Zone:     new(fmt.Sprintf("region-1%c", 'a'+i%3)),
		TargetRef: &corev1.ObjectReference{
			Kind: "Pod", Namespace: s.NamespaceOfService(service), Name: s.PodName(i),
		},
	}
	if s.IsHeadless(service) {
		e.Hostname = new(s.PodName(i))
	}
	return e
}

// EndpointAddress returns the address of an endpoint.
func EndpointAddress(i int) netip.Addr { return AddressAt(FirstEndpoint, i) }

func nodeName(i int) string { return fmt.Sprintf("node-%03d", i%nodes) }

// PodName returns the name of the Pod of an endpoint: of a StatefulSet if the Service is
// headless, otherwise of a Deployment.
func (s Shape) PodName(endpoint int) string {
	service := s.ServiceOf(endpoint)
	from, _ := s.EndpointRange(service)
	if s.IsHeadless(service) {
		return fmt.Sprintf("%s-%d", s.ServiceName(service), endpoint-from)
	}
	return fmt.Sprintf("%s-%s-%s", s.ServiceName(service),
		s.letters("replicaset", service, 10), s.letters("pod", endpoint, 5))
}

// letters returns random letters for a name, as Kubernetes generates them.
func (s Shape) letters(kind string, i, n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	r := s.random(kind, i)
	name := make([]byte, n)
	for j := range name {
		name[j] = alphabet[r.IntN(len(alphabet))]
	}
	return string(name)
}
