package publish

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
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
	var to targets
	for _, lb := range in.Status.LoadBalancer.Ingress {
		to.add(lb.IP, lb.Hostname)
	}
	var keys []string
	for i := range in.Spec.Rules {
		keys = append(keys, hostKey(in.Spec.Rules[i].Host))
	}
	return leading(newObject("Ingress", in), keys, to.published())
}

// service converts a Service with a load balancer. An annotation has its names; without one it is
// <service>.<namespace> below every zone. A name in an annotation may be below a zone too, as in
// the plugin k8s_gateway of others.
func (Settings) service(obj metav1.Object) *Object {
	svc := obj.(*corev1.Service)
	if svc.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return nil
	}
	var to targets
	for _, ip := range svc.Spec.ExternalIPs {
		to.add(ip, "")
	}
	if len(to.records.Addrs) == 0 {
		for _, lb := range svc.Status.LoadBalancer.Ingress {
			to.add(lb.IP, lb.Hostname)
		}
	}
	return leading(newObject("Service", svc), serviceKeys(svc), to.published())
}

func serviceKeys(svc *corev1.Service) (keys []string) {
	text, annotated := hostnameAnnotation(svc)
	if !annotated {
		return []string{relativeKeyOf(svc.Name + "." + svc.Namespace)}
	}
	for host := range strings.SplitSeq(text, ",") {
		key := hostKey(strings.TrimSpace(host))
		keys = append(keys, key, strings.TrimSuffix(key, "\x00"))
	}
	return keys
}

func hostnameAnnotation(o metav1.Object) (text string, ok bool) {
	for _, name := range slimpb.HostnameAnnotations {
		if text, ok = o.GetAnnotations()[name]; ok {
			return text, true
		}
	}
	return "", false
}

// leading gives an object names that all lead to the same targets.
func leading(o *Object, keys []string, to *cluster.Published) *Object {
	for _, key := range keys {
		if key != "" && to != nil && !slices.ContainsFunc(o.names, func(n named) bool { return n.name == key }) {
			o.names = append(o.names, named{key, to})
		}
	}
	if len(o.names) == 0 {
		return nil
	}
	return o
}

// apiDNSEndpoint is a DNSEndpoint of external-dns, with the fields that matter here.
type apiDNSEndpoint struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Endpoints []struct {
			DNSName    string   `json:"dnsName"`
			RecordType string   `json:"recordType"`
			Targets    []string `json:"targets"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// dnsEndpoint converts a DNSEndpoint. Records of other types than A, AAAA, CNAME and TXT are left
// out.
func (Settings) dnsEndpoint(obj metav1.Object) *Object {
	in := obj.(*apiDNSEndpoint)
	o := newObject("DNSEndpoint", in)
	var keys []string
	all := map[string]*targets{}
	for _, e := range in.Spec.Endpoints {
		key := keyOf(e.DNSName)
		if key == "" {
			continue
		}
		if all[key] == nil {
			all[key], keys = new(targets), append(keys, key)
		}
		all[key].addRecords(e.RecordType, e.Targets)
	}
	for _, key := range keys {
		if p := all[key].published(); p != nil {
			o.names = append(o.names, named{key, p})
		}
	}
	if len(o.names) == 0 {
		return nil
	}
	return o
}

// addRecords adds the records of one type.
func (t *targets) addRecords(rrtype string, list []string) {
	for _, text := range list {
		switch {
		case rrtype == "A" || rrtype == "AAAA":
			if a := parseOf(rrtype, text); a != "" {
				t.add(a, "")
			}
		case rrtype == "CNAME":
			t.add("", text)
		case rrtype == "TXT" && !slices.Contains(t.records.Texts, text):
			t.records.Texts = append(t.records.Texts, text)
		}
	}
}

// parseOf returns the address if it is of the record's family, or "".
func parseOf(rrtype, text string) string {
	if (rrtype == "AAAA") != strings.Contains(text, ":") {
		return ""
	}
	return text
}
