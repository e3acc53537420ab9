package kube

import (
	"errors"
	"math/rand"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// slimKind is a kind with a decoder of our own. Its settings request every optional field.
type slimKind struct {
	name    string
	decode  slimpb.Decoder
	empty   func() message
	convert func(obj any) any
}

// message is an object that Kubernetes decodes from protobuf.
type message interface {
	runtime.Object
	metav1.Object
	Marshal() ([]byte, error)
	Unmarshal(data []byte) error
}

func slimKinds() []slimKind {
	cfg := Config{Pods: true, PodNames: true, PodLabels: true, TopologyZones: true}
	c := newConverter(cfg)
	published := map[string]func(metav1.Object) any{}
	settings := publish.Settings{Kinds: publish.Ingresses | publish.Services, IngressClasses: "nginx", Zones: "example.org.", Inside: true}
	for _, kind := range settings.All() {
		published[kind.Name] = func(o metav1.Object) any { return kind.Convert(settings, o) }
	}
	return []slimKind{
		{"Namespace", slimpb.Namespace, func() message { return new(corev1.Namespace) }, func(o any) any {
			return []any{o.(*corev1.Namespace).Name, o.(*corev1.Namespace).Labels}
		}},
		{"Service", slimpb.Service, func() message { return new(corev1.Service) }, func(o any) any {
			return []any{c.Service(o.(*corev1.Service)), published["Service"](o.(*corev1.Service))}
		}},
		{"Ingress", slimpb.Ingress, func() message { return new(networkingv1.Ingress) }, func(o any) any {
			return published["Ingress"](o.(*networkingv1.Ingress))
		}},
		{"Pod", slimpb.Pod(true), func() message { return new(corev1.Pod) }, func(o any) any { return c.Pod(o.(*corev1.Pod)) }},
		{"EndpointSlice", sliceDecoder(cfg), func() message { return new(discoveryv1.EndpointSlice) }, func(o any) any {
			s := o.(*discoveryv1.EndpointSlice)
			return []any{c.Slice(s), c.ImportedSlice(s)}
		}},
	}
}

// check reports whether our decoder and that of Kubernetes read the same from a message
// that both accept. Each refuses some messages that the other accepts.
func (k slimKind) check(t *testing.T, data []byte) error {
	t.Helper()
	whole := k.empty()
	got, err := k.decode(data)
	if err = errors.Join(err, whole.Unmarshal(data)); err != nil {
		return err
	}
	if g, w := k.convert(got), k.convert(whole); !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\n%+v, want\n%+v", k.name, g, w)
	}
	slim := got.(message)
	if convert.KeyOf(slim) != convert.KeyOf(whole) || slim.GetResourceVersion() != whole.GetResourceVersion() {
		t.Errorf("%s: %v version %s", k.name, convert.KeyOf(slim), slim.GetResourceVersion())
	}
	if !triggerTime(slim).Equal(triggerTime(whole)) {
		t.Errorf("%s: date %s, want %s", k.name, triggerTime(slim), triggerTime(whole))
	}
	return nil
}

// filler fills every field of an object at random, and the fields that DNS reads with valid
// values.
func filler(seed int64) *randfill.Filler {
	several := func(c randfill.Continue) (list []string) {
		for range c.Intn(3) {
			list = append(list, addr(c))
		}
		return list
	}
	custom := func(serializer.CodecFactory) []any {
		return []any{
			func(m *metav1.ObjectMeta, c randfill.Continue) {
				c.FillNoCustom(m)
				m.Labels = map[string]string{discoveryv1.LabelServiceName: "web", convert.LabelServiceImport: "db", convert.LabelSourceCluster: "east", c.String(5): c.String(5)}
				m.Annotations = map[string]string{corev1.EndpointsLastChangeTriggerTime: "2026-01-01T00:00:00Z", c.String(5): c.String(5)}
				m.Labels[slimpb.LabelIgnore] = pick(c, "true", "false", "")
				m.Labels[slimpb.LabelGateway] = pick(c, "front", "")
				m.Annotations[slimpb.AnnotationIngressClass] = pick(c, "nginx", "other")
				m.Annotations[slimpb.HostnameAnnotations[c.Intn(2)]] = pick(c, "a.example.org, b.example.org", "c", "")
			},
			func(s *corev1.ServiceSpec, c randfill.Continue) {
				c.FillNoCustom(s)
				s.ClusterIP, s.ClusterIPs, s.ExternalIPs = addr(c), several(c), several(c)
				s.Type = corev1.ServiceType(pick(c, "ClusterIP", "LoadBalancer", "ExternalName"))
				s.ExternalName = pick(c, "example.com", "10.0.0.1", "")
			},
			func(p *intstr.IntOrString, c randfill.Continue) {
				*p = intstr.Parse(pick(c, "0", "8000", "web"))
			},
			func(i *corev1.LoadBalancerIngress, c randfill.Continue) {
				c.FillNoCustom(i)
				i.IP, i.Hostname = addr(c), pick(c, "lb.example.com", "")
			},
			func(s *corev1.PodStatus, c randfill.Continue) {
				c.FillNoCustom(s)
				s.Phase = corev1.PodPhase(pick(c, "Running", "Running", "Pending", "Failed"))
				s.PodIP, s.PodIPs = addr(c), []corev1.PodIP{{IP: addr(c)}, {IP: addr(c)}}[:c.Intn(3)]
			},
			func(o *corev1.PodDNSConfigOption, c randfill.Continue) {
				*o = corev1.PodDNSConfigOption{Name: pick(c, "ndots", "timeout")}
				if c.Bool() {
					o.Value = new(pick(c, "2", "5", "many"))
				}
			},
			func(e *discoveryv1.Endpoint, c randfill.Continue) {
				c.FillNoCustom(e)
				e.Addresses = several(c)
			},
			func(r *corev1.ObjectReference, c randfill.Continue) {
				c.FillNoCustom(r)
				r.Kind = pick(c, "Pod", "Node")
			},
			func(p *corev1.Protocol, c randfill.Continue) { *p = corev1.Protocol(pick(c, "TCP", "UDP", "")) },
		}
	}
	return fuzzer.FuzzerFor(fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, custom, fillIngress), rand.NewSource(seed), serializer.NewCodecFactory(newScheme()))
}

func pick(c randfill.Continue, list ...string) string { return list[c.Intn(len(list))] }

func addr(c randfill.Continue) string {
	return pick(c, "10.0.0.1", "10.1.2.3", "fd00::1", "none", "")
}

// fillIngress fills the fields of an Ingress that DNS reads.
func fillIngress(serializer.CodecFactory) []any {
	return []any{
		func(r *networkingv1.IngressRule, c randfill.Continue) {
			c.FillNoCustom(r)
			r.Host = pick(c, "a.example.org", "*.b.example.org", "")
		},
		func(s *networkingv1.IngressSpec, c randfill.Continue) {
			c.FillNoCustom(s)
			if s.IngressClassName = nil; c.Bool() {
				s.IngressClassName = new(pick(c, "nginx", "other"))
			}
		},
		func(i *networkingv1.IngressLoadBalancerIngress, c randfill.Continue) {
			c.FillNoCustom(i)
			i.IP, i.Hostname = addr(c), pick(c, "lb.example.com", "")
		},
	}
}

// The converters need nothing that our decoders leave out.
func TestSlimDecoders(t *testing.T) {
	for _, k := range slimKinds() {
		fill := filler(1)
		for range 500 {
			obj := k.empty()
			fill.Fill(obj)
			data, err := obj.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if err := k.check(t, data); err != nil {
				t.Fatalf("%s: %v\n%x", k.name, err, data)
			}
		}
	}
}

func FuzzSlimDecoders(f *testing.F) {
	kinds := slimKinds()
	for i, k := range kinds {
		fill := filler(int64(i))
		for range 3 {
			obj := k.empty()
			fill.Fill(obj)
			data, err := obj.Marshal()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) { _ = kinds[int(kind)%len(kinds)].check(t, data) })
}
