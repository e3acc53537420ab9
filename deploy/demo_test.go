package deploy

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	validate "k8s.io/apimachinery/pkg/util/validation"
)

const demoDir = "demo"

// The demo's address ranges, as stated at the top of cluster.yaml.
var (
	serviceRanges = []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd00:10:96::/112")}
	podRanges     = []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00:10:244::/56")}
	nodeRanges    = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
)

// demo is the demo cluster by kind.
type demo struct {
	objs     map[key]runtime.Object
	services []*corev1.Service
	slices   []*discoveryv1.EndpointSlice
	pods     []*corev1.Pod
}

func readDemo(t *testing.T) demo {
	t.Helper()
	d := demo{objs: decode(t, readDir(t, demoDir))}
	for k, obj := range d.objs {
		switch obj := obj.(type) {
		case *corev1.Namespace: // looked up by name only
		case *corev1.Service:
			d.services = append(d.services, obj)
		case *discoveryv1.EndpointSlice:
			d.slices = append(d.slices, obj)
		case *corev1.Pod:
			d.pods = append(d.pods, obj)
		case *networkingv1.Ingress: // for the plugin k8s_gateway
		default:
			t.Errorf("%v: DNS does not look at this kind", k)
		}
	}
	return d
}

// readDir joins the YAML files of a folder into one stream.
func readDir(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in %s: %v", dir, err)
	}
	texts := make([][]byte, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	return bytes.Join(texts, []byte("\n---\n"))
}

func (d demo) service(namespace, name string) *corev1.Service {
	svc, _ := d.objs[key{"Service", namespace, name}].(*corev1.Service)
	return svc
}

// slicesOf returns the slices with a Service's name in their label.
func (d demo) slicesOf(svc *corev1.Service) []*discoveryv1.EndpointSlice {
	return slices.DeleteFunc(slices.Clone(d.slices), func(s *discoveryv1.EndpointSlice) bool {
		return s.Namespace != svc.Namespace || s.Labels[discoveryv1.LabelServiceName] != svc.Name
	})
}

// podsOf returns the pods that a Service selects.
func (d demo) podsOf(svc *corev1.Service) []*corev1.Pod {
	selector := labels.SelectorFromSet(svc.Spec.Selector)
	return slices.DeleteFunc(slices.Clone(d.pods), func(p *corev1.Pod) bool {
		return p.Namespace != svc.Namespace || !selector.Matches(labels.Set(p.Labels))
	})
}

func TestDemoNamesAreValid(t *testing.T) {
	d := readDemo(t)
	for k := range d.objs {
		check := validation.NameIsDNSLabel
		if k.kind == "Pod" || k.kind == "EndpointSlice" {
			check = validation.NameIsDNSSubdomain
		}
		if problems := check(k.name, false); len(problems) > 0 {
			t.Errorf("%v: %v", k, problems)
		}
		if k.kind != "Namespace" && d.objs[key{kind: "Namespace", name: k.namespace}] == nil {
			t.Errorf("%v: no such namespace", k)
		}
	}
}

func TestDemoServices(t *testing.T) {
	for _, svc := range readDemo(t).services {
		t.Run(svc.Namespace+"/"+svc.Name, func(t *testing.T) {
			switch {
			case svc.Spec.Type == corev1.ServiceTypeExternalName:
				checkAlias(t, svc)
			case svc.Spec.ClusterIP == corev1.ClusterIPNone:
				checkHeadless(t, svc)
			default:
				checkClusterIPs(t, svc)
			}
		})
	}
}

func checkAlias(t *testing.T, svc *corev1.Service) {
	t.Helper()
	if problems := validate.IsDNS1123Subdomain(svc.Spec.ExternalName); len(problems) > 0 {
		t.Errorf("externalName %q: %v", svc.Spec.ExternalName, problems)
	}
	if len(svc.Spec.ClusterIPs) > 0 || svc.Spec.ClusterIP != "" {
		t.Error("an alias has no ClusterIP")
	}
}

func checkHeadless(t *testing.T, svc *corev1.Service) {
	t.Helper()
	if !slices.Equal(svc.Spec.ClusterIPs, []string{corev1.ClusterIPNone}) {
		t.Errorf("clusterIPs %v: want None", svc.Spec.ClusterIPs)
	}
}

func checkClusterIPs(t *testing.T, svc *corev1.Service) {
	t.Helper()
	ips := svc.Spec.ClusterIPs
	if len(ips) == 0 || ips[0] != svc.Spec.ClusterIP || len(ips) != len(svc.Spec.IPFamilies) {
		t.Fatalf("clusterIP %q, clusterIPs %v, ipFamilies %v", svc.Spec.ClusterIP, ips, svc.Spec.IPFamilies)
	}
	for i, ip := range ips {
		if got, want := family(t, ip, serviceRanges), svc.Spec.IPFamilies[i]; got != want {
			t.Errorf("%s: family %s, want %s", ip, got, want)
		}
	}
}

// family returns the family of an address. It fails the test unless the address is in
// canonical form and in one of the ranges.
func family(t *testing.T, text string, ranges []netip.Prefix) corev1.IPFamily {
	t.Helper()
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.String() != text {
		t.Errorf("%q: not an address in its canonical form: %v", text, err)
	}
	if !slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		t.Errorf("%s: in none of %v", text, ranges)
	}
	if addr.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

func TestDemoPods(t *testing.T) {
	for _, pod := range readDemo(t).pods {
		if len(pod.Status.PodIPs) == 0 || pod.Status.PodIPs[0].IP != pod.Status.PodIP {
			t.Errorf("%s: podIP %q, podIPs %v", pod.Name, pod.Status.PodIP, pod.Status.PodIPs)
		}
		for _, ip := range pod.Status.PodIPs {
			family(t, ip.IP, podRanges)
		}
	}
}

func TestDemoAddressesAreUnique(t *testing.T) {
	seen := sets.New[string]()
	for _, ip := range readDemo(t).addresses() {
		if seen.Has(ip) {
			t.Errorf("%s is given twice", ip)
		}
		seen.Insert(ip)
	}
}

// addresses returns the addresses of all Services and Pods.
func (d demo) addresses() []string {
	var all []string
	for _, svc := range d.services {
		if svc.Spec.ClusterIP != corev1.ClusterIPNone {
			all = append(all, svc.Spec.ClusterIPs...)
		}
	}
	for _, pod := range d.pods {
		for _, ip := range pod.Status.PodIPs {
			all = append(all, ip.IP)
		}
	}
	return all
}
