package objects

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest"
)

// Pod has the fields of a Pod that say why its names are what they are. The quantities of its resources are
// not decoded.
type Pod struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Hostname    string               `json:"hostname"`
		Subdomain   string               `json:"subdomain"`
		HostNetwork bool                 `json:"hostNetwork"`
		DNSPolicy   corev1.DNSPolicy     `json:"dnsPolicy"`
		DNSConfig   *corev1.PodDNSConfig `json:"dnsConfig"`
		OS          *corev1.PodOS        `json:"os"`
		// NodeSelector has the operating system of older Pods.
		NodeSelector map[string]string `json:"nodeSelector"`
	} `json:"spec"`
	Status struct {
		Phase                 corev1.PodPhase       `json:"phase"`
		PodIP                 string                `json:"podIP"`
		Conditions            []corev1.PodCondition `json:"conditions"`
		Reason                string                `json:"reason"`
		Message               string                `json:"message"`
		InitContainerStatuses []container           `json:"initContainerStatuses"`
		ContainerStatuses     []container           `json:"containerStatuses"`
	} `json:"status"`
}

// container is the state of a container.
type container struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	State struct {
		Waiting *struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"waiting"`
		Running    *struct{} `json:"running"`
		Terminated *struct {
			ExitCode int    `json:"exitCode"`
			Reason   string `json:"reason"`
		} `json:"terminated"`
	} `json:"state"`
}

// Windows reports whether a Pod says that it runs on Windows.
func (p *Pod) Windows() bool {
	return p.Spec.OS != nil && p.Spec.OS.Name == corev1.Windows || p.Spec.NodeSelector[corev1.LabelOSStable] == string(corev1.Windows)
}

// Set has the objects of manifests.
type Set struct {
	Namespaces map[string]bool
	Services   []*corev1.Service
	Slices     []*discoveryv1.EndpointSlice
	Pods       []*Pod
	policies   []*networkingv1.NetworkPolicy
	Roles      []*Role
	ConfigMaps []*ConfigMap
	events     []*corev1.Event

	places map[string]int // in the lists, by kind, Namespace and name
}

// Role is a ClusterRole.
type Role struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Rules []struct {
		Verbs     []string `json:"verbs"`
		APIGroups []string `json:"apiGroups"`
		Resources []string `json:"resources"`
	} `json:"rules"`
}

// Allows reports whether a role lets its holder list and watch a resource.
func (r *Role) Allows(group, resource string) bool {
	has := func(list []string, word string) bool {
		return slices.Contains(list, word) || slices.Contains(list, "*")
	}
	for _, rule := range r.Rules {
		if has(rule.APIGroups, group) && has(rule.Resources, resource) && has(rule.Verbs, "list") && has(rule.Verbs, "watch") {
			return true
		}
	}
	return false
}

// ConfigMap is a ConfigMap without its data.
type ConfigMap struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
}

// Read reads manifests again, with more of their fields than DNS needs. Where an object is given twice
// the last one counts.
func Read(ctx context.Context, paths []string) (*Set, error) {
	o := &Set{Namespaces: map[string]bool{}, places: map[string]int{}}
	err := manifest.Each(ctx, paths, func(kind string, into func(any) error) error {
		switch kind {
		case "v1 Namespace":
			var n corev1.Namespace
			if err := into(&n); err != nil {
				return err
			}
			o.Namespaces[n.Name] = true
		case "v1 Service":
			return put(o, kind, &o.Services, new(corev1.Service), into)
		case "v1 Pod":
			return put(o, kind, &o.Pods, new(Pod), into)
		case "discovery.k8s.io/v1 EndpointSlice":
			return put(o, kind, &o.Slices, new(discoveryv1.EndpointSlice), into)
		case "networking.k8s.io/v1 NetworkPolicy":
			return put(o, kind, &o.policies, new(networkingv1.NetworkPolicy), into)
		case "rbac.authorization.k8s.io/v1 ClusterRole":
			return put(o, kind, &o.Roles, new(Role), into)
		case "v1 Event":
			return put(o, kind, &o.events, new(corev1.Event), into)
		case "v1 ConfigMap":
			return put(o, kind, &o.ConfigMaps, new(ConfigMap), into)
		}
		return nil
	})
	for _, s := range o.Services {
		o.Namespaces[s.Namespace] = true
	}
	for _, p := range o.Pods {
		o.Namespaces[p.Namespace] = true
	}
	return o, err
}

func put[T metav1.Object](o *Set, kind string, list *[]T, object T, into func(any) error) error {
	if err := into(object); err != nil {
		return err
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	key := kind + " " + object.GetNamespace() + "/" + object.GetName()
	if i, again := o.places[key]; again {
		(*list)[i] = object
		return nil
	}
	o.places[key] = len(*list)
	*list = append(*list, object)
	return nil
}

// Find finds an object of a Namespace.
func Find[T metav1.Object](list []T, namespace, name string) (object T, ok bool) {
	for _, o := range list {
		if o.GetNamespace() == namespace && o.GetName() == name {
			return o, true
		}
	}
	return object, false
}

// Elsewhere returns the Namespaces that have a Service of a name.
func (o *Set) Elsewhere(name, but string) (namespaces []string) {
	for _, s := range o.Services {
		if s.Name == name && s.Namespace != but {
			namespaces = append(namespaces, s.Namespace)
		}
	}
	slices.Sort(namespaces)
	return namespaces
}

// SlicesOf returns the slices of a Service.
func (o *Set) SlicesOf(s *corev1.Service) (all []*discoveryv1.EndpointSlice) {
	for _, slice := range o.Slices {
		if slice.Namespace == s.Namespace && slice.Labels[discoveryv1.LabelServiceName] == s.Name {
			all = append(all, slice)
		}
	}
	return all
}

// Selected returns the Pods that the selector of a Service matches.
func (o *Set) Selected(s *corev1.Service) (all []*Pod) {
	if len(s.Spec.Selector) == 0 {
		return nil
	}
	selector := labels.SelectorFromSet(s.Spec.Selector)
	for _, p := range o.Pods {
		if p.Namespace == s.Namespace && selector.Matches(labels.Set(p.Labels)) {
			all = append(all, p)
		}
	}
	return all
}

// Named returns the Pod that a label means, or nil: one that the Service selects before others, and one of that hostname before
// one of that name.
func (o *Set) Named(s *corev1.Service, label string) *Pod {
	all := o.Selected(s)
	for _, list := range [][]*Pod{all, o.Pods} {
		for _, has := range []func(p *Pod) string{func(p *Pod) string { return p.Spec.Hostname }, func(p *Pod) string { return p.Name }} {
			if i := slices.IndexFunc(list, func(p *Pod) bool { return p.Namespace == s.Namespace && has(p) == label }); i >= 0 {
				return list[i]
			}
		}
	}
	return nil
}

// DescribeService says in a line what a Service is.
func DescribeService(s *corev1.Service) string {
	kind := "ClusterIP " + s.Spec.ClusterIP
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		kind = "ExternalName " + s.Spec.ExternalName
	case s.Spec.ClusterIP == corev1.ClusterIPNone:
		kind = "headless"
	}
	return fmt.Sprintf("Service %s/%s  %s", s.Namespace, s.Name, kind)
}
