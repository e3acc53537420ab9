package kube

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// leaveOut tells why a document is left out that is not of a supported kind: many are
// close to one that is.
func (b *bundle) leaveOut(d *document) {
	name := d.apiVersion + " " + d.kind
	group, _, _ := strings.Cut(d.apiVersion, "/")
	switch {
	case name == "v1 Endpoints":
		b.findings.add(endpoints, name, d.place())
	case d.kind == "EndpointSlice" && (group == "discovery.k8s.io" || d.apiVersion == "v1"):
		b.findings.add(versioned, name+": write discovery.k8s.io/v1", d.place())
	case d.kind == "ServiceImport" && group == "multicluster.x-k8s.io":
		b.findings.add(versioned, name+": write multicluster.x-k8s.io/v1beta1", d.place())
	case slices.Contains([]string{"Service", "Namespace", "Pod"}, d.kind) && !strings.Contains(d.apiVersion, "/"):
		b.findings.add(versioned, name+": write v1", d.place())
	default:
		b.findings.add(unsupported, name, d.place())
	}
}

// describe remembers what is to be said of an object, or asked once all are known.
func (o *object) describe(api metav1.Object) {
	switch api := api.(type) {
	case *corev1.Service:
		o.describeService(api)
	case *corev1.Pod:
		o.checkAddrs("podIP", convert.PodIPs(&api.Status))
	case *convert.ServiceImport:
		o.describeImport(api)
	case *discoveryv1.EndpointSlice:
		o.describeSlice(api)
	}
}

// find remembers that an object is of a category, and in what.
func (o *object) find(c category, in string, args ...any) {
	name := o.name.String()
	if in != "" {
		name += ": " + fmt.Sprintf(in, args...)
	}
	o.found = append(o.found, finding{c, name})
}

func (o *object) describeService(s *corev1.Service) {
	spec := &s.Spec
	for _, p := range spec.Ports {
		o.checkPort(p.Port, string(p.Protocol))
	}
	o.checkAddrs("externalIP", spec.ExternalIPs)
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		o.checkAddrs("ingress", []string{ingress.IP})
	}
	switch {
	case spec.Type == corev1.ServiceTypeExternalName:
		o.checkTarget(spec.ExternalName)
	case convert.Headless(spec):
	case spec.ClusterIP == "" && len(spec.ClusterIPs) == 0:
		o.find(unaddressed, "")
	case len(spec.ClusterIPs) > 0:
		o.checkAddrs("clusterIP", spec.ClusterIPs)
	default:
		o.checkAddrs("clusterIP", []string{spec.ClusterIP})
	}
}

// checkTarget tells an externalName that no resolver can follow.
func (o *object) checkTarget(target string) {
	name := strings.TrimSuffix(strings.ToLower(target), ".")
	switch host, _, _ := strings.Cut(name, ":"); {
	case target == "":
		o.find(misnamed, "found nothing")
	case convert.ParseAddr(name).IsValid():
		o.find(misnamed, "found the IP address %q: write a headless Service and an EndpointSlice", target)
	case strings.Contains(name, "://"):
		o.find(misnamed, "found the URL %q: write its host alone", target)
	case host != name && isName(host):
		o.find(misnamed, "found %q: leave out the port", target)
	case !isName(name):
		o.find(misnamed, "found %q", target)
	}
}

// isName reports whether a text is a host name as far as DNS goes: an underscore is no harm.
func isName(text string) bool {
	return len(validation.IsDNS1123Subdomain(strings.ReplaceAll(text, "_", "x"))) == 0
}

func (o *object) describeImport(i *convert.ServiceImport) {
	if i.Spec.Type != "" && i.Spec.Type != "ClusterSetIP" && i.Spec.Type != "Headless" {
		o.find(mistyped, "type %q", i.Spec.Type)
	}
	o.checkAddrs("ip", i.Spec.IPs)
	for _, p := range i.Spec.Ports {
		o.checkPort(p.Port, p.Protocol)
	}
}

func (o *object) describeSlice(s *discoveryv1.EndpointSlice) {
	o.slice[0] = objectName{"Service", zone.Key{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}}
	o.slice[1] = objectName{"ServiceImport", zone.Key{Namespace: s.Namespace, Name: s.Labels[convert.LabelServiceImport]}}
	if o.slice[0].key.Name == "" && o.slice[1].key.Name == "" {
		o.find(unlabelled, "")
	}
	if s.AddressType == discoveryv1.AddressTypeFQDN {
		o.find(misaddressed, "addressType FQDN: write a Service of type ExternalName")
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

// checkAddrs tells what is not read of a list of addresses.
func (o *object) checkAddrs(field string, texts []string) {
	for _, text := range texts {
		if text != "" && !convert.ParseAddr(text).IsValid() {
			o.find(misaddressed, "%s %q", field, text)
		}
	}
}

func (o *object) checkPort(number int32, protocol string) {
	if number < 1 || number > 65535 {
		o.find(misported, "port %d", number)
	}
	if !slices.Contains([]string{"", "TCP", "UDP", "SCTP"}, strings.ToUpper(protocol)) {
		o.find(misported, "protocol %q", protocol)
	}
}
