package differential

import (
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Numbers of objects for the zones beside the cluster's.
const (
	generatedOutside = 24
	generatedImports = 14
)

// generateBeside makes Services with external addresses or hostnames, and ServiceImports.
func generateBeside(seed uint64) []runtime.Object {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 4))}
	g.hosts()
	g.dotted()
	g.portless()
	for i := range generatedOutside {
		g.outsideService(i)
	}
	for i := range generatedImports {
		g.serviceImport(i)
	}
	return g.objects
}

// outsideService makes a Service with external addresses, a load balancer, or both.
func (g *generator) outsideService(i int) {
	namespace := pick(g.Rand, append(generatedNamespaces, "gone")...)
	s := &corev1.Service{ObjectMeta: meta(namespace, fmt.Sprintf("%s-%d", pick(g.Rand, "out", "0out"), i))}
	s.Spec.Ports = g.servicePorts(1)
	s.Spec.Type = pick(g.Rand, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeLoadBalancer)
	if g.IntN(5) == 0 {
		s.Spec.Type, s.Spec.ClusterIP = corev1.ServiceTypeClusterIP, corev1.ClusterIPNone
	}
	for range g.IntN(3) {
		s.Spec.ExternalIPs = append(s.Spec.ExternalIPs, g.externalIP())
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		s.Status.LoadBalancer.Ingress = g.ingress()
	}
	g.add(s)
	g.add(g.slice(namespace, s.Name, "out"))
}

// hosts makes Services with nothing but a load balancer's hostname, of each kind.
func (g *generator) hosts() {
	for i, host := range []string{"www.example.org", "nowhere.example.org", "six.example.org", "www.servfail.example", "web.zoo.svc.cluster.local"} {
		s := &corev1.Service{ObjectMeta: meta("zoo", fmt.Sprintf("host-%d", i))}
		s.Spec.Type, s.Spec.Ports = corev1.ServiceTypeLoadBalancer, []servicePort{{Name: "http", Port: 80}}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: host}}
		s.Labels = map[string]string{"tier": "back"}
		g.objects = append(g.objects, s)
	}
}

// dotted makes an endpoint whose Pod has a name with dots.
func (g *generator) dotted() {
	port := slicePort{Name: new("http"), Port: new(int32(80)), Protocol: new(corev1.ProtocolTCP)}
	s, slice := headlessService("gen", "dotted"), newSlice("gen", "dotted", "a", discoveryv1.AddressTypeIPv4, []slicePort{port})
	slice.Endpoints = []endpoint{{Addresses: []string{"10.244.10.70"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "pod.with.dots"}}}
	s.Labels, slice.Labels["tier"] = map[string]string{"tier": "back"}, "back"
	g.objects = append(g.objects, s, slice)
}

// portless makes an import that stock does not show.
func (g *generator) portless() {
	spec := importSpec{Type: clusterSetIP, IPs: []string{"10.245.0.100", "fd00:10:245::100"}}
	g.objects = append(g.objects, newImport("zoo", "portless", spec))
}

// externalIP returns one of few addresses, so that Services share them.
func (g *generator) externalIP() string {
	return pick(g.Rand, fmt.Sprintf("203.0.113.%d", 10+g.IntN(16)), fmt.Sprintf("2001:db8:113::%x", 10+g.IntN(16)))
}

func (g *generator) ingress() []corev1.LoadBalancerIngress {
	hosts := []string{
		"www.example.org", "six.example.org", "chain.example.org", "nowhere.example.org", "dangling.example.org", "text.example.org",
		"web.zoo.svc.cluster.local", "never.zoo.svc.cluster.local", "www.servfail.example",
	}
	var all []corev1.LoadBalancerIngress
	for range g.IntN(3) {
		if g.IntN(2) == 0 {
			all = append(all, corev1.LoadBalancerIngress{IP: g.externalIP()})
		} else {
			all = append(all, corev1.LoadBalancerIngress{Hostname: pick(g.Rand, hosts...)})
		}
	}
	return all
}

// serviceImport makes an import with slices from other clusters. Some have no ports.
func (g *generator) serviceImport(i int) {
	namespace := pick(g.Rand, "zoo", "gen", "hidden", "gone")
	name := fmt.Sprintf("%s-%d", pick(g.Rand, "imp", "0imp"), i)
	spec := importSpec{Type: headlessImport}
	if g.IntN(2) == 0 {
		four, six := fmt.Sprintf("10.245.0.%d", i+1), fmt.Sprintf("fd00:10:245::%x", i+1)
		spec = importSpec{Type: clusterSetIP, IPs: pick(g.Rand, []string{four}, []string{six}, []string{four, six})}
	}
	for _, port := range g.servicePorts(0) {
		spec.Ports = append(spec.Ports, importPort{Name: port.Name, Protocol: port.Protocol, Port: port.Port})
	}
	g.objects = append(g.objects, newImport(namespace, name, spec))
	for k := range g.IntN(3) {
		slice := g.slice(namespace, name, fmt.Sprintf("mcs-%d", k))
		slice.Labels = map[string]string{clusterSetService: name, clusterSetCluster: pick(g.Rand, "east", "west", "0-north")}
		for i := range slice.Endpoints {
			slice.Endpoints[i].Addresses = []string{g.foreignAddress(slice.AddressType)}
		}
		g.objects = append(g.objects, slice)
	}
}

// foreignAddress returns the address of an endpoint in another cluster. There are few,
// because stock never answers questions for their names.
func (g *generator) foreignAddress(family discoveryv1.AddressType) string {
	if family == discoveryv1.AddressTypeIPv4 {
		return fmt.Sprintf("10.245.1.%d", 1+g.IntN(8))
	}
	return fmt.Sprintf("fd00:10:245:1::%x", 1+g.IntN(8))
}
