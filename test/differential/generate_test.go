package differential

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Numbers of generated objects besides the zoo.
const (
	generatedServices = 44
	generatedPods     = 30
	chainLength       = 14 // longer than stock follows
	crowdSize         = 90 // endpoints, more than fit into an answer over UDP
)

// generator makes random objects. They share namespaces, addresses, hostnames and targets
// with each other and with the zoo.
type generator struct {
	*rand.Rand
	objects []runtime.Object
	names   []string // of the Services, as "name.namespace.svc.cluster.local"
}

var generatedNamespaces = []string{"zoo", "svc", "pod", "dns", "0-digits", "hidden", "gen", "gen-2"}

// generate makes a cluster from a seed.
func generate(seed uint64) []runtime.Object {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	for _, name := range []string{"gen", "gen-2"} {
		g.add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": "a"}}})
	}
	g.chain()
	g.crowd()
	for i := range generatedServices {
		g.service(i)
	}
	for i := range generatedPods {
		g.pod(i)
	}
	return g.objects
}

// add labels most objects with one of three tiers.
func (g *generator) add(object runtime.Object) {
	if o, ok := object.(metav1.Object); ok && g.IntN(8) > 0 {
		set := maps.Clone(o.GetLabels())
		if set == nil {
			set = map[string]string{}
		}
		set["tier"] = pick(g.Rand, "front", "back", "back", "side")
		o.SetLabels(set)
	}
	g.objects = append(g.objects, object)
}

// pick chooses one of a list.
func pick[T any](g *rand.Rand, list ...T) T { return list[g.IntN(len(list))] }

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// chain makes aliases that lead to each other, and finally to a Service.
func (g *generator) chain() {
	target := "web.zoo.svc.cluster.local"
	for i := chainLength; i > 0; i-- {
		name := fmt.Sprintf("chain-%d", i)
		g.add(externalName("gen", name, target))
		target = name + ".gen.svc.cluster.local"
	}
}

func externalName(namespace, name, target string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: meta(namespace, name),
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: target},
	}
}

// crowd makes a headless Service whose answers are truncated.
func (g *generator) crowd() {
	port := discoveryv1.EndpointPort{Name: new("http"), Port: new(int32(80)), Protocol: new(corev1.ProtocolTCP)}
	slice := newSlice("gen", "crowd", "a", discoveryv1.AddressTypeIPv4, []discoveryv1.EndpointPort{port})
	for i := range crowdSize {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{fmt.Sprintf("10.244.20.%d", i+1)}})
	}
	g.add(headlessService("gen", "crowd"))
	g.add(slice)
}

func headlessService(namespace, name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(namespace, name), Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}}
}

func newSlice(namespace, service, suffix string, family discoveryv1.AddressType, ports []discoveryv1.EndpointPort) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: meta(namespace, service+"-"+suffix), AddressType: family, Ports: ports}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	return slice
}

// service makes the i-th Service and its slices.
func (g *generator) service(i int) {
	namespace := pick(g.Rand, generatedNamespaces...)
	s := g.newService(namespace, fmt.Sprintf("%s-%d", pick(g.Rand, "s", "web", "0", "x-y"), i), i)
	g.add(s)
	g.names = append(g.names, s.Name+"."+namespace+".svc.cluster.local")
	for k := range g.IntN(4) {
		g.add(g.slice(namespace, s.Name, fmt.Sprint(k)))
	}
}

func (g *generator) newService(namespace, name string, i int) *corev1.Service {
	switch n := g.IntN(10); {
	case n < 2:
		return externalName(namespace, name, g.target())
	case n < 6:
		s := headlessService(namespace, name)
		s.Spec.Ports = g.servicePorts(0)
		return s
	}
	s := &corev1.Service{ObjectMeta: meta(namespace, name), Spec: corev1.ServiceSpec{Ports: g.servicePorts(1)}}
	s.Spec.Type = pick(g.Rand, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer)
	four, six := fmt.Sprintf("10.96.5.%d", i+1), fmt.Sprintf("fd00:10:96::5:%x", i+1)
	s.Spec.ClusterIPs = pick(g.Rand, []string{four}, []string{six}, []string{four, six}, []string{six, four})
	s.Spec.ClusterIP = s.Spec.ClusterIPs[0]
	if len(s.Spec.ClusterIPs) == 2 {
		s.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
	}
	return s
}

// target returns the target of an alias: mostly another Service, so that there are chains
// and loops.
func (g *generator) target() string {
	outside := []string{"www.example.org", "chain.example.org", "nowhere.example.org", "192.0.2.9", "www.second.example"}
	if len(g.names) == 0 || g.IntN(3) == 0 {
		return pick(g.Rand, outside...)
	}
	prefix, name := pick(g.Rand, "", "never-"), pick(g.Rand, g.names...)
	if overlong(prefix + name) { // stock could not send the zone
		prefix = ""
	}
	return prefix + name + pick(g.Rand, "", ".")
}

// servicePorts returns at least so many ports. Only a single port may be unnamed.
func (g *generator) servicePorts(least int) []corev1.ServicePort {
	n := least + g.IntN(4)
	var ports []corev1.ServicePort
	for i := range n {
		ports = append(ports, corev1.ServicePort{
			Name: fmt.Sprintf("%s%d", pick(g.Rand, "http", "p-", "0x"), i), Port: int32(80 + i/2), Protocol: protocols[i%2],
		})
	}
	if n == 1 && g.IntN(2) == 0 {
		ports[0].Name = ""
	}
	return ports
}

var protocols = []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP}

func (g *generator) slice(namespace, service, suffix string) *discoveryv1.EndpointSlice {
	family := pick(g.Rand, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)
	slice := newSlice(namespace, service, suffix, family, g.slicePorts())
	for range g.IntN(5) {
		slice.Endpoints = append(slice.Endpoints, g.endpoint(family))
	}
	return slice
}

func (g *generator) slicePorts() []discoveryv1.EndpointPort {
	var ports []discoveryv1.EndpointPort
	for i := range g.IntN(4) {
		ports = append(ports, discoveryv1.EndpointPort{
			Name: new(fmt.Sprintf("%s%d", pick(g.Rand, "http", "p-", "0x"), i)), Port: new(int32(8080 + i/2)),
			Protocol: new(pick(g.Rand, protocols...)),
		})
	}
	return ports
}

func (g *generator) endpoint(family discoveryv1.AddressType) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{Addresses: []string{g.address(family)}}
	e.Conditions.Ready = pick(g.Rand, nil, nil, new(true), new(false))
	e.Conditions.Terminating = pick(g.Rand, nil, new(true))
	switch name := fmt.Sprintf("host-%d", g.IntN(6)); g.IntN(4) {
	case 0:
		e.Hostname = &name
	case 1:
		e.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: name + "-pod"}
	case 2:
		e.Hostname, e.TargetRef = &name, &corev1.ObjectReference{Kind: "Pod", Name: name + "-pod"}
	}
	return e
}

// address returns one of few addresses, so that Services share them.
func (g *generator) address(family discoveryv1.AddressType) string {
	if family == discoveryv1.AddressTypeIPv4 {
		return fmt.Sprintf("10.244.10.%d", 1+g.IntN(60))
	}
	return fmt.Sprintf("fd00:10:244:10::%x", 1+g.IntN(60))
}

func (g *generator) pod(i int) {
	p := &corev1.Pod{
		ObjectMeta: meta(pick(g.Rand, generatedNamespaces...), strings.Repeat("p", 1+i%20)+fmt.Sprintf("-%d", i)),
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}},
	}
	p.Status = g.podStatus()
	if g.IntN(8) == 0 {
		p.Finalizers = []string{"test.clusterdns/keep"}
	}
	g.add(p)
}

func (g *generator) podStatus() corev1.PodStatus {
	status := corev1.PodStatus{Phase: pick(g.Rand,
		corev1.PodRunning, corev1.PodRunning, corev1.PodRunning, corev1.PodPending, corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown)}
	for _, family := range []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6} {
		if g.IntN(3) > 0 {
			status.PodIPs = append(status.PodIPs, corev1.PodIP{IP: g.address(family)})
		}
	}
	if len(status.PodIPs) > 0 {
		status.PodIP = status.PodIPs[0].IP
	}
	return status
}
