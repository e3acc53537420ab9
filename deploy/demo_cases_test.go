package deploy

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// TestDemoShows checks that the demo has what the documentation needs from it, and one
// example of each case that DNS treats differently.
func TestDemoShows(t *testing.T) {
	d := readDemo(t)
	tests := []struct {
		what            string
		namespace, name string
		is              func(demo, *corev1.Service) bool
	}{
		{"the API server's address", "default", "kubernetes", hasAddress("10.96.0.1")},
		{"the cluster DNS's address", "kube-system", "kube-dns", hasAddress("10.96.0.10")},
		{"_http._tcp.web.shop", "shop", "web", hasPort("http", 80, corev1.ProtocolTCP)},
		{"_https._tcp.web.shop", "shop", "web", hasPort("https", 443, corev1.ProtocolTCP)},
		{"a dual-stack ClusterIP", "shop", "web", isDualStack},
		{"db-0.db.shop", "shop", "db", hasHostname("db-0")},
		{"db-1.db.shop", "shop", "db", hasHostname("db-1")},
		{"db-2.db.shop", "shop", "db", hasHostname("db-2")},
		{"a dual-stack headless Service", "shop", "db", isDualStack},
		{"a port without a name", "shop", "cache", hasPort("", 6379, corev1.ProtocolTCP)},
		{"a name that starts with a digit", "shop", "3d-viewer", hasAddress("10.96.20.33")},
		{"a UDP port", "observability", "statsd", hasPort("statsd", 8125, corev1.ProtocolUDP)},
		{"an alias out of the cluster", "shop", "payments", isAlias("www.example.com")},
		{"an alias inside the zone", "shop", "shop-db", isAlias("db.shop.svc.cluster.local")},
		{"unready endpoints beside a ready one", "shop", "queue", hasReady(1, 3)},
		{"published before ready", "shop", "peers", hasReady(2, 2)},
		{"no ready endpoint", "shop", "warming-up", hasReady(0, 1)},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			if svc := d.service(test.namespace, test.name); svc == nil || !test.is(d, svc) {
				t.Errorf("%s/%s does not show it: %v", test.namespace, test.name, svc)
			}
		})
	}
}

func hasAddress(ip string) func(demo, *corev1.Service) bool {
	return func(_ demo, svc *corev1.Service) bool { return slices.Contains(svc.Spec.ClusterIPs, ip) }
}

func isDualStack(_ demo, svc *corev1.Service) bool { return len(svc.Spec.IPFamilies) == 2 }

func isAlias(target string) func(demo, *corev1.Service) bool {
	return func(_ demo, svc *corev1.Service) bool { return svc.Spec.ExternalName == target }
}

func hasPort(name string, number int32, protocol corev1.Protocol) func(demo, *corev1.Service) bool {
	return func(_ demo, svc *corev1.Service) bool {
		return slices.ContainsFunc(svc.Spec.Ports, func(p corev1.ServicePort) bool {
			return p.Name == name && p.Port == number && p.Protocol == protocol
		})
	}
}

// hasHostname checks that the name has addresses of both families.
func hasHostname(hostname string) func(demo, *corev1.Service) bool {
	named := func(e discoveryv1.Endpoint) bool { return e.Hostname != nil && *e.Hostname == hostname }
	return func(d demo, svc *corev1.Service) bool {
		return slices.ContainsFunc(d.endpoints(svc, corev1.IPv4Protocol), named) &&
			slices.ContainsFunc(d.endpoints(svc, corev1.IPv6Protocol), named)
	}
}

// hasReady checks that a headless Service has ready endpoints out of all.
func hasReady(ready, all int) func(demo, *corev1.Service) bool {
	return func(d demo, svc *corev1.Service) bool {
		endpoints, found := d.endpoints(svc, corev1.IPv4Protocol), 0
		for _, e := range endpoints {
			if *e.Conditions.Ready {
				found++
			}
		}
		return svc.Spec.ClusterIP == corev1.ClusterIPNone && found == ready && len(endpoints) == all
	}
}
