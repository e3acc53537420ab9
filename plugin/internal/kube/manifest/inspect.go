package manifest

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// leaveOut records why a document is left out whose kind is not supported. Many such kinds
// are close to a supported one.
func (b *bundle) leaveOut(d *document) {
	name := d.apiVersion + " " + d.kind
	group, _, _ := strings.Cut(d.apiVersion, "/")
	resource, version := publish.Asks(group, d.kind)
	switch {
	case name == "v1 Endpoints":
		b.warnings.add(endpoints, name, d.place())
	case d.kind == "EndpointSlice" && (group == "discovery.k8s.io" || d.apiVersion == "v1"):
		b.warnings.add(versioned, name+": write discovery.k8s.io/v1", d.place())
	case d.kind == "ServiceImport" && group == "multicluster.x-k8s.io":
		b.warnings.add(versioned, name+": write multicluster.x-k8s.io/v1beta1", d.place())
	case slices.Contains([]string{"Service", "Namespace", "Pod"}, d.kind) && !strings.Contains(d.apiVersion, "/"):
		b.warnings.add(versioned, name+": write v1", d.place())
	case resource != "" && b.published[version+" "+d.kind] != nil:
		b.warnings.add(versioned, name+": write "+version, d.place())
	case resource != "":
		b.warnings.add(unpublished, name+": write resources "+resource, d.place())
	default:
		b.warnings.add(unsupported, name+remedy(d.kind), d.place())
	}
}

// remedy returns what to write in the place of a kind that is one of Kubernetes' but for the case of
// its letters.
func remedy(kind string) string {
	for _, k := range []string{"Service", "Namespace", "Pod", "EndpointSlice", "ServiceImport", "Ingress"} {
		if kind != k && strings.EqualFold(kind, k) {
			return ": write " + k
		}
	}
	return ""
}

// warningsLimit bounds the number of warnings that are kept until all objects are known.
const warningsLimit = 10_000

// inspectObject collects warnings about an object. They are kept with the object, because a
// later object with the same name replaces both.
func (b *bundle) inspectObject(o *object, api metav1.Object) {
	if o.check(api); o.name.kind == "ServiceImport" && !slices.Contains(b.kinds, o.name.kind) {
		o.warnings = []warning{{unread, o.name.String()}}
	}
	if b.pending += len(o.warnings); b.pending > warningsLimit {
		o.warnings = nil
	}
}

// inspect adds the warnings of all objects that remain.
func (b *bundle) inspect(files fileSet) {
	hidden := map[string]bool{} // files of paths of which nothing is shown
	for _, f := range files.files {
		hidden[f.path] = !b.shown[f.given]
	}
	for _, o := range b.objects {
		if hidden[o.path] && o.name.kind != "ServiceImport" && !slices.Contains(b.kinds, o.name.kind) {
			b.warnings.add(o.unasked(), o.name.String(), o.place())
			continue
		}
		for _, f := range o.warnings {
			b.warnings.add(f.category, f.name, o.place())
		}
		if o.named() && !b.has(o.services[0]) && !b.has(o.services[1]) {
			b.warnings.add(orphaned, o.name.String(), o.place())
		}
	}
}

// unasked returns the category of an object of a kind that the Corefile does not ask for.
func (o *object) unasked() category {
	if o.name.kind == "Pod" {
		return podless
	}
	return unasked
}

// named reports whether an object is an EndpointSlice that names its Service.
func (o *object) named() bool { return o.services[0].key.Name != "" || o.services[1].key.Name != "" }

func (b *bundle) has(name objectName) bool {
	_, ok := b.index[name]
	return ok
}

// check checks each field that means something in DNS.
func (o *object) check(api metav1.Object) {
	switch api := api.(type) {
	case *corev1.Service:
		o.checkService(api)
	case *corev1.Pod:
		o.checkAddrs("podIP", convert.PodIPs(&api.Status))
	case *convert.ServiceImport:
		o.checkImport(api)
	case *discoveryv1.EndpointSlice:
		o.checkSlice(api)
	}
}

// checkPublished checks what gives names to the world.
func (o *object) checkPublished(k *publish.Kind, api metav1.Object) {
	for _, problem := range k.Problems(api) {
		o.warn(unnamed, "%s", problem)
	}
}

// warn adds a warning about a part of the object.
func (o *object) warn(c category, in string, args ...any) {
	if len(o.warnings) == mentions {
		return
	}
	name := o.name.String()
	if in != "" {
		name += ": " + fmt.Sprintf(in, args...)
	}
	o.warnings = append(o.warnings, warning{c, name})
}

// serviceTypes are the types of Services. The API server takes no type for the first of them.
var serviceTypes = []corev1.ServiceType{"", corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName}

func (o *object) checkService(s *corev1.Service) {
	spec := &s.Spec
	for _, p := range spec.Ports {
		o.checkPort(p.Port, string(p.Protocol))
	}
	o.checkAddrs("externalIP", spec.ExternalIPs)
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		o.checkAddrs("ingress", []string{ingress.IP})
		if ingress.IP == "" && ingress.Hostname != "" && convert.Hostname(ingress.Hostname) == "" {
			o.warn(hostless, "%q", ingress.Hostname)
		}
	}
	switch {
	case !slices.Contains(serviceTypes, spec.Type):
		o.warn(untyped, "%q, expected one of %q", spec.Type, serviceTypes[1:])
	case spec.Type == "" && spec.ExternalName != "" && spec.ClusterIP == "":
		o.warn(unaddressed, "externalName needs the type ExternalName")
	case spec.Type == corev1.ServiceTypeExternalName:
		if mistake := convert.Mistake(spec.ExternalName); mistake != "" {
			o.warn(misnamed, "%s", mistake)
		}
	case convert.Headless(spec):
	case spec.ClusterIP == "" && len(spec.ClusterIPs) == 0:
		o.warn(unaddressed, "")
	case len(spec.ClusterIPs) > 0:
		o.checkAddrs("clusterIP", spec.ClusterIPs)
	default:
		o.checkAddrs("clusterIP", []string{spec.ClusterIP})
	}
}

func (o *object) checkImport(i *convert.ServiceImport) {
	if i.Spec.Type != "" && i.Spec.Type != "ClusterSetIP" && i.Spec.Type != "Headless" {
		o.warn(mistyped, "type %q", i.Spec.Type)
	}
	o.checkAddrs("ip", i.Spec.IPs)
	for _, p := range i.Spec.Ports {
		o.checkPort(p.Port, p.Protocol)
	}
}

func (o *object) checkSlice(s *discoveryv1.EndpointSlice) {
	o.services[0] = objectName{"Service", cluster.Key{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}}
	o.services[1] = objectName{"ServiceImport", cluster.Key{Namespace: s.Namespace, Name: s.Labels[convert.LabelServiceImport]}}
	if o.services[0].key.Name == "" && o.services[1].key.Name == "" {
		o.warn(unlabelled, "")
	}
	if s.AddressType == discoveryv1.AddressTypeFQDN {
		o.warn(misaddressed, "addressType FQDN: write a Service of type ExternalName")
		return
	}
	for i := range s.Endpoints {
		o.checkAddrs("address", s.Endpoints[i].Addresses)
	}
	for _, p := range s.Ports {
		if p.Port != nil { // nil means all ports
			o.checkPort(*p.Port, string(ptr.Deref(p.Protocol, "")))
		}
	}
}

// checkAddrs warns about each text that is not an address.
func (o *object) checkAddrs(field string, texts []string) {
	for _, text := range texts {
		if text != "" && !convert.ParseAddr(text).IsValid() {
			o.warn(misaddressed, "%s %q", field, text)
		}
	}
}

func (o *object) checkPort(number int32, protocol string) {
	if number < 1 || number > 65535 {
		o.warn(misported, "port %d", number)
	}
	if !slices.Contains([]string{"", "TCP", "UDP", "SCTP"}, strings.ToUpper(protocol)) {
		o.warn(misported, "protocol %q", protocol)
	}
}
