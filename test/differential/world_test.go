package differential

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

// world is what the API server holds: the truth that both servers answer from.
type world struct {
	namespaces map[string]labels.Set      // their labels by name
	services   map[string]*corev1.Service // by "name.namespace"
	slices     []*discoveryv1.EndpointSlice
	pods       []*corev1.Pod
	imports    []*serviceImport
}

// readWorld lists everything.
func readWorld(ctx context.Context, client kubernetes.Interface) (*world, error) {
	w := &world{namespaces: map[string]labels.Set{}, services: map[string]*corev1.Service{}}
	for _, read := range []func(context.Context, kubernetes.Interface) error{
		w.readNamespaces, w.readServices, w.readSlices, w.readPods, w.readImports,
	} {
		if err := read(ctx, client); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) readNamespaces(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, item := range list.Items {
		w.namespaces[item.Name] = labels.Set{}
		maps.Copy(w.namespaces[item.Name], item.Labels)
	}
	return nil
}

func (w *world) readServices(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		w.services[list.Items[i].Name+"."+list.Items[i].Namespace] = &list.Items[i]
	}
	return nil
}

func (w *world) readSlices(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		w.slices = append(w.slices, &list.Items[i])
	}
	return nil
}

func (w *world) readPods(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		w.pods = append(w.pods, &list.Items[i])
	}
	return nil
}

// selected returns the part of the world for a server that selects objects and Namespaces
// with these labels only.
func (w *world) selected(objects, namespaces labels.Selector) *world {
	left := &world{namespaces: maps.Clone(w.namespaces), services: maps.Clone(w.services), imports: w.imports}
	maps.DeleteFunc(left.namespaces, func(_ string, set labels.Set) bool { return !namespaces.Matches(set) })
	maps.DeleteFunc(left.services, func(_ string, s *corev1.Service) bool { return !objects.Matches(labels.Set(s.Labels)) })
	left.slices = slices.DeleteFunc(slices.Clone(w.slices), func(s *endpointSlice) bool { return !objects.Matches(labels.Set(s.Labels)) })
	left.pods = slices.DeleteFunc(slices.Clone(w.pods), func(p *corev1.Pod) bool { return !objects.Matches(labels.Set(p.Labels)) })
	return left
}

// exists reports whether there is a Namespace.
func (w *world) exists(namespace string) bool {
	_, ok := w.namespaces[namespace]
	return ok
}

// service returns a Service by name and namespace, or nil.
func (w *world) service(name, namespace string) *corev1.Service {
	return w.services[name+"."+namespace]
}

// slicesOf returns the slices that say they belong to a Service.
func (w *world) slicesOf(name, namespace string) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, slice := range w.slices {
		if slice.Namespace == namespace && serviceName(slice) == name {
			found = append(found, slice)
		}
	}
	return found
}

func serviceName(slice *discoveryv1.EndpointSlice) string {
	return slice.Labels[discoveryv1.LabelServiceName]
}

func headless(s *corev1.Service) bool {
	return s.Spec.Type != corev1.ServiceTypeExternalName && s.Spec.ClusterIP == corev1.ClusterIPNone
}

func alias(s *corev1.Service) bool {
	return s != nil && s.Spec.Type == corev1.ServiceTypeExternalName
}

// target returns the name that an alias leads to, in lower case with a dot at its end,
// or empty if it is an address, or no name.
func target(s *corev1.Service) string {
	name := strings.ToLower(strings.TrimSuffix(s.Spec.ExternalName, "."))
	if _, err := netip.ParseAddr(name); err == nil || name == "" || overlong(name) {
		return ""
	}
	return name + "."
}

// overlong reports whether a name does not fit into a message.
func overlong(name string) bool {
	_, ok := dns.IsDomainName(name)
	return !ok
}

func ready(e *discoveryv1.Endpoint) bool {
	return e.Conditions.Ready == nil || *e.Conditions.Ready
}

// readyAddrs returns the addresses of the slice's ready endpoints.
func readyAddrs(slice *discoveryv1.EndpointSlice) []string {
	var addrs []string
	for i := range slice.Endpoints {
		if ready(&slice.Endpoints[i]) {
			addrs = append(addrs, slice.Endpoints[i].Addresses...)
		}
	}
	return addrs
}

// clusterIPs returns the addresses of a Service that has any.
func clusterIPs(s *corev1.Service) []string {
	if alias(s) || headless(s) {
		return nil
	}
	return s.Spec.ClusterIPs
}

// dashed returns an address as a label.
func dashed(address string) string {
	label := strings.NewReplacer(".", "-", ":", "-").Replace(address)
	if strings.HasSuffix(label, "-") {
		label += "0"
	}
	return label
}

// Shorter names of what objects are made of.
type (
	endpointSlice = discoveryv1.EndpointSlice
	endpoint      = discoveryv1.Endpoint
	slicePort     = discoveryv1.EndpointPort
	servicePort   = corev1.ServicePort
)

const addressTypeFQDN = discoveryv1.AddressTypeFQDN
