package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest"
)

// pod has the fields of a Pod that say why its names are what they are. The quantities of its resources are
// not decoded.
type pod struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Hostname    string               `json:"hostname"`
		Subdomain   string               `json:"subdomain"`
		HostNetwork bool                 `json:"hostNetwork"`
		DNSPolicy   corev1.DNSPolicy     `json:"dnsPolicy"`
		DNSConfig   *corev1.PodDNSConfig `json:"dnsConfig"`
	} `json:"spec"`
	Status struct {
		Phase             corev1.PodPhase       `json:"phase"`
		PodIP             string                `json:"podIP"`
		Conditions        []corev1.PodCondition `json:"conditions"`
		ContainerStatuses []struct {
			Name  string `json:"name"`
			Ready bool   `json:"ready"`
			State struct {
				Waiting *struct {
					Reason  string `json:"reason"`
					Message string `json:"message"`
				} `json:"waiting"`
			} `json:"state"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// objects are the objects of the manifests.
type objects struct {
	namespaces map[string]bool
	services   []*corev1.Service
	slices     []*discoveryv1.EndpointSlice
	pods       []*pod
	policies   []*networkingv1.NetworkPolicy
	roles      []*role
	configMaps []*configMap
	events     []*corev1.Event

	places map[string]int // in the lists, by kind, Namespace and name
}

// role is a ClusterRole.
type role struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Rules []struct {
		Verbs     []string `json:"verbs"`
		APIGroups []string `json:"apiGroups"`
		Resources []string `json:"resources"`
	} `json:"rules"`
}

// allows reports whether a role lets its holder list and watch a resource.
func (r *role) allows(group, resource string) bool {
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

// configMap is a ConfigMap without its data.
type configMap struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
}

// readObjects reads manifests again, with more of their fields than DNS needs. Where an object is given twice
// the last one counts.
func readObjects(ctx context.Context, paths []string) (*objects, error) {
	o := &objects{namespaces: map[string]bool{}, places: map[string]int{}}
	err := manifest.Each(ctx, paths, func(kind string, into func(any) error) error {
		switch kind {
		case "v1 Namespace":
			var n corev1.Namespace
			if err := into(&n); err != nil {
				return err
			}
			o.namespaces[n.Name] = true
		case "v1 Service":
			return put(o, kind, &o.services, new(corev1.Service), into)
		case "v1 Pod":
			return put(o, kind, &o.pods, new(pod), into)
		case "discovery.k8s.io/v1 EndpointSlice":
			return put(o, kind, &o.slices, new(discoveryv1.EndpointSlice), into)
		case "networking.k8s.io/v1 NetworkPolicy":
			return put(o, kind, &o.policies, new(networkingv1.NetworkPolicy), into)
		case "rbac.authorization.k8s.io/v1 ClusterRole":
			return put(o, kind, &o.roles, new(role), into)
		case "v1 Event":
			return put(o, kind, &o.events, new(corev1.Event), into)
		case "v1 ConfigMap":
			return put(o, kind, &o.configMaps, new(configMap), into)
		}
		return nil
	})
	for _, s := range o.services {
		o.namespaces[s.Namespace] = true
	}
	for _, p := range o.pods {
		o.namespaces[p.Namespace] = true
	}
	return o, err
}

func put[T metav1.Object](o *objects, kind string, list *[]T, object T, into func(any) error) error {
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

func find[T metav1.Object](list []T, namespace, name string) (object T, ok bool) {
	for _, o := range list {
		if o.GetNamespace() == namespace && o.GetName() == name {
			return o, true
		}
	}
	return object, false
}

// elsewhere returns the Namespaces that have a Service of a name.
func (o *objects) elsewhere(name, but string) (namespaces []string) {
	for _, s := range o.services {
		if s.Name == name && s.Namespace != but {
			namespaces = append(namespaces, s.Namespace)
		}
	}
	slices.Sort(namespaces)
	return namespaces
}

// slicesOf returns the slices of a Service.
func (o *objects) slicesOf(s *corev1.Service) (all []*discoveryv1.EndpointSlice) {
	for _, slice := range o.slices {
		if slice.Namespace == s.Namespace && slice.Labels[discoveryv1.LabelServiceName] == s.Name {
			all = append(all, slice)
		}
	}
	return all
}

// selected returns the Pods that the selector of a Service matches.
func (o *objects) selected(s *corev1.Service) (all []*pod) {
	if len(s.Spec.Selector) == 0 {
		return nil
	}
	selector := labels.SelectorFromSet(s.Spec.Selector)
	for _, p := range o.pods {
		if p.Namespace == s.Namespace && selector.Matches(labels.Set(p.Labels)) {
			all = append(all, p)
		}
	}
	return all
}

// ready reports whether a Pod is ready.
func (p *pod) ready() bool { return convert.PodReady(p.Status.Conditions) }

// whyNotReady says why a Pod is not ready, as far as its status and kubelet's events do.
func (o *objects) whyNotReady(p *pod) string {
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready && c.State.Waiting != nil {
			return strings.TrimSpace(fmt.Sprintf("container %s waits: %s %s", c.Name, c.State.Waiting.Reason, c.State.Waiting.Message))
		}
	}
	if failed := o.lastProbe(p); failed != "" {
		return failed
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue && c.Reason+c.Message != "" {
			return strings.TrimSpace(c.Reason + " " + c.Message)
		}
	}
	return "phase " + string(p.Status.Phase)
}

// lastProbe returns what kubelet has said last of a readiness probe of a Pod that failed.
func (o *objects) lastProbe(p *pod) (said string) {
	var last *corev1.Event
	for _, e := range o.events {
		about := e.Namespace == p.Namespace && e.InvolvedObject.Kind == "Pod" && e.InvolvedObject.Name == p.Name
		if about && strings.HasPrefix(e.Message, "Readiness probe") && (last == nil || last.LastTimestamp.Before(&e.LastTimestamp)) {
			last, said = e, e.Message
		}
	}
	said, _, _ = strings.Cut(said, "\n")
	return strings.TrimSpace(said)
}
