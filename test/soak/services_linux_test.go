//go:build soak

package soak

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// changing is an object that can be changed to a version.
type changing struct {
	*object
	change func(ctx context.Context, client kubernetes.Interface, version int) error
}

// headless returns a headless Service. In each version its EndpointSlice has other
// endpoints and another port; in every eighth it is gone.
func headless(i int) changing {
	h := &headlessService{i: i, name: fmt.Sprintf("db-%d", i)}
	fqdn := h.name + suffix
	o := &object{name: h.name, answer: h.answer, questions: []string{"A " + fqdn, "SRV _sql._tcp." + fqdn, "A e0." + fqdn, "AAAA " + fqdn, "TXT " + fqdn, "A " + h.name + externalSuffix}}
	return changing{o, h.change}
}

type headlessService struct {
	i    int
	name string
}

func (*headlessService) gone(version int) bool { return version%8 == 0 }

func (h *headlessService) addresses(version int) []string {
	var all []string
	for k := range 1 + version%3 {
		all = append(all, fmt.Sprintf("10.%d.%d.%d", 100+h.i, version/64%256, version%64*4+k))
	}
	return all
}

func (*headlessService) port(version int) int { return 1000 + version%50000 }

func (h *headlessService) answer(question string, version int) string {
	addresses := h.addresses(version)
	switch {
	case h.gone(version):
		return noName
	case strings.HasPrefix(question, "AAAA ") || strings.HasPrefix(question, "TXT "):
		return noData
	case strings.HasPrefix(question, "A e0."):
		return "NOERROR " + addresses[0]
	case strings.HasPrefix(question, "A "):
		slices.Sort(addresses)
		return "NOERROR " + strings.Join(addresses, " ")
	}
	words := []string{"NOERROR"}
	for k := range addresses {
		words = append(words, fmt.Sprintf("0 %d %d e%d.%s%s.", 100/len(addresses), h.port(version), k, h.name, suffix))
	}
	return strings.Join(words, " ")
}

func (h *headlessService) change(ctx context.Context, client kubernetes.Interface, version int) error {
	slices := client.DiscoveryV1().EndpointSlices(namespace)
	switch {
	case version == 0:
		service := newService(h.name, "sql")
		service.Spec.ClusterIP = corev1.ClusterIPNone
		_, err := client.CoreV1().Services(namespace).Create(ctx, service, metav1.CreateOptions{})
		return err
	case h.gone(version):
		return slices.Delete(ctx, h.name, metav1.DeleteOptions{})
	case h.gone(version - 1):
		_, err := slices.Create(ctx, h.slice(version), metav1.CreateOptions{})
		return err
	}
	_, err := slices.Update(ctx, h.slice(version), metav1.UpdateOptions{})
	return err
}

func (h *headlessService) slice(version int) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: h.name, Namespace: namespace, Labels: map[string]string{discoveryv1.LabelServiceName: h.name}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("sql"), Port: new(int32(h.port(version)))}},
	}
	for k, address := range h.addresses(version) {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}, Hostname: new(fmt.Sprintf("e%d", k))})
	}
	return slice
}

// clusterIP returns a Service that is gone in every other version, and has another address
// each time it returns.
func clusterIP(i int) changing {
	c := &clusterIPService{i: i, name: fmt.Sprintf("web-%d", i)}
	fqdn := c.name + suffix
	o := &object{name: c.name, answer: c.answer, questions: []string{"A " + fqdn, "AAAA " + fqdn, "SRV _http._tcp." + fqdn}}
	return changing{o, c.change}
}

type clusterIPService struct {
	i    int
	name string
}

func (c *clusterIPService) address(version int) string {
	return fmt.Sprintf("10.96.%d.%d", 100+c.i, 1+version/2%250)
}

func (c *clusterIPService) answer(question string, version int) string {
	switch {
	case version%2 == 1:
		return noName
	case strings.HasPrefix(question, "AAAA "):
		return noData
	case strings.HasPrefix(question, "A "):
		return "NOERROR " + c.address(version)
	}
	return fmt.Sprintf("NOERROR 0 100 80 %s%s.", c.name, suffix)
}

func (c *clusterIPService) change(ctx context.Context, client kubernetes.Interface, version int) error {
	services := client.CoreV1().Services(namespace)
	if version%2 == 1 {
		return services.Delete(ctx, c.name, metav1.DeleteOptions{})
	}
	service := newService(c.name, "http")
	service.Spec.ClusterIP = c.address(version)
	_, err := services.Create(ctx, service, metav1.CreateOptions{})
	return err
}

func newService(name, port string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: port, Port: 80}}},
	}
}
