package publish

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/target"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/zone"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// ingress converts an Ingress, whose hosts lead to its load balancer. One without a class is of
// no class that the settings could name.
func (s Settings) ingress(obj metav1.Object) *Object {
	in := obj.(*networkingv1.Ingress)
	class := ptr.Deref(in.Spec.IngressClassName, in.Annotations[slimpb.AnnotationIngressClass])
	if !selects(s.IngressClasses, class) {
		return nil
	}
	o := newObject(ingressKind, in)
	var to target.List
	for i, lb := range in.Status.LoadBalancer.Ingress {
		if text := lb.IP + lb.Hostname; !to.Add(lb.IP, lb.Hostname) && text != "" {
			o.problem("status.loadBalancer.ingress[%d] %q is neither an address nor a hostname", i, text)
		}
	}
	var keys []string
	for i := range in.Spec.Rules {
		keys = append(keys, o.hostKey(in.Spec.Rules[i].Host, "spec.rules[%d].host", i))
	}
	if s.Inside {
		o.class = class
	}
	return leading(o, keys, to.Published(), s.classes()[o.class] != "")
}

// service converts a Service with a load balancer. An annotation has its names; without one it is
// <service>.<namespace> below every zone. Names may lead to a Service that wants none for itself, and a
// name server of the zones has its name whatever else it has.
func (s Settings) service(obj metav1.Object) *Object {
	svc := obj.(*corev1.Service)
	o := newObject(serviceKind, svc)
	o.service = s.insideOf(svc)
	shown := !ignored(svc) && s.selectsService(svc.Labels) && s.Watches(Services)
	if shown && svc.Annotations[slimpb.AnnotationResolveEndpoints] == "true" {
		o.problem("annotation %s is not supported: names lead to load balancers, not to Pods", slimpb.AnnotationResolveEndpoints)
	}
	server := zone.Servers(s.Servers).Has(o.Key)
	if svc.Spec.Type != corev1.ServiceTypeLoadBalancer || !shown && !server {
		return o.orNil()
	}
	var keys []string
	if shown {
		keys = o.serviceKeys(svc, s.zones())
	}
	if server {
		keys = append(keys, s.zones().Below(ownKey(svc))...)
	}
	var to target.List
	for _, ip := range svc.Spec.ExternalIPs {
		to.Add(ip, "")
	}
	if !to.HasAddrs() {
		for _, lb := range svc.Status.LoadBalancer.Ingress {
			to.Add(lb.IP, lb.Hostname)
		}
	}
	return leading(o, keys, to.Published(), o.service != nil)
}

// ownKey returns the key of <service>.<namespace>.
func ownKey(svc *corev1.Service) string { return hostname.DomainKey(svc.Name + "." + svc.Namespace) }

// selectsService reports whether a Service is to be published.
func (s Settings) selectsService(has labels.Set) bool {
	if s.ServiceLabels == "" {
		return true
	}
	for text := range strings.SplitSeq(s.ServiceLabels, "\n") {
		if selector, err := labels.Parse(text); err == nil && selector.Matches(has) {
			return true
		}
	}
	return false
}

// node converts a Node, whose hostnames lead to its addresses.
func (s Settings) node(obj metav1.Object) *Object {
	in := obj.(*corev1.Node)
	o := newObject("Node", in)
	var to target.List
	var keys []string
	for i, a := range in.Status.Addresses {
		switch string(a.Type) {
		case string(corev1.NodeHostName):
			keys = append(keys, s.zones().InOrBelow(o.hostKey(a.Address, "status.addresses[%d].address", i))...)
		case s.NodeAddress:
			if !to.Add(a.Address, "") {
				o.problem("status.addresses[%d].address %q is no address", i, a.Address)
			}
		}
	}
	return leading(o, keys, to.Published(), false)
}

func (o *Object) serviceKeys(svc *corev1.Service, zones zone.Zones) (keys []string) {
	annotation, text := hostnameAnnotation(svc)
	if annotation == "" {
		return zones.Below(ownKey(svc))
	}
	for host := range strings.SplitSeq(text, ",") {
		keys = append(keys, zones.InOrBelow(o.hostKey(strings.TrimSpace(host), "annotation %s:", annotation))...)
	}
	return keys
}

// hostnameAnnotation returns the name and the text of the annotation, or "" without one.
func hostnameAnnotation(o metav1.Object) (name, text string) {
	for _, name := range slimpb.HostnameAnnotations {
		if text, ok := o.GetAnnotations()[name]; ok {
			return name, text
		}
	}
	return "", ""
}

// hostKey returns the key of a hostname, or "" if it is none. The object remembers the place of a
// text that is none.
func (o *Object) hostKey(host, place string, args ...any) string {
	key := hostname.Key(host)
	if key == "" && host != "" {
		o.problem("%s %q is no hostname", fmt.Sprintf(place, args...), host)
	}
	return key
}

// leading gives an object names that all lead to the same targets. Without a target they need a
// Service of the cluster, if there may be one. It returns nil for an object that has none, and that no
// name leads to either.
func leading(o *Object, keys []string, to *cluster.Published, hasService bool) *Object {
	if to == nil && !hasService {
		return o.orNil()
	}
	for _, key := range cluster.Distinct(keys) {
		if key != "" {
			o.names = append(o.names, named{key, to})
		}
	}
	return o.orNil()
}

// orNil returns the object, or nil if there is nothing to say of it.
func (o *Object) orNil() *Object {
	if len(o.names) == 0 && len(o.problems) == 0 && o.service == nil {
		return nil
	}
	return o
}
