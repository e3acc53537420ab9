package live

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// insideBlock returns a Corefile of a cluster whose Pods reach published names inside. What no object
// has comes from the server behind.
func insideBlock(t *testing.T, source string) string {
	behind := freeport.Port(t)
	return fmt.Sprintf(`.:0 {
 bind 127.0.0.1
 errors
 kubernetes cluster.local {
  startup_timeout %s
  %s
 }
 k8s_gateway example.org {
  resources Ingress Service HTTPRoute DNSEndpoint
  inside
  insideLabel names.example.com
  insideService bare infra/bare
 }
 forward . 127.0.0.1:%s
}
.:%[3]s {
 bind 127.0.0.1
 template ANY ANY {
  answer "{{ .Name }} 60 IN TXT outside"
 }
}
`, patience, source, behind)
}

const outside = `NOERROR "outside"`

// namespacesInside are Namespaces, the first of which may have names in the zone.
const namespacesInside = `
{apiVersion: v1, kind: Namespace, metadata: {name: town, labels: {names.example.com/example.org: "true"}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: infra}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: slum}}
`

// serviceObject returns a Service infra/NAME for HTTP.
func serviceObject(name, labels, spec, status string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: infra, labels: {%s}}
spec: {%s, ports: [{name: http, port: 80}, {name: https, port: 443}]}
status: {loadBalancer: {ingress: [%s]}}
`, name, labels, spec, status)
}

// ingressObject returns an Ingress NAMESPACE/NAME for the host NAME.example.org.
func ingressObject(namespace, name, class, status string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: %s}
spec: {ingressClassName: %s, rules: [{host: %[1]s.example.org}]}
status: {loadBalancer: {ingress: [%[4]s]}}
`, name, namespace, class, status)
}

// objectsInside are names of each way to a Service.
func objectsInside() string {
	return strings.Join([]string{
		namespacesInside,
		serviceObject("lb", "", "type: LoadBalancer, clusterIP: 10.96.0.61", "{ip: 192.0.2.61, ipMode: VIP}"),
		serviceObject("proxy", "", "type: LoadBalancer, clusterIP: 10.96.0.62", "{ip: 192.0.2.62, ipMode: Proxy}"),
		serviceObject("bare", "", "type: NodePort, clusterIP: 10.96.0.63", ""),
		serviceObject("front-istio", "gateway.networking.k8s.io/gateway-name: front", "clusterIP: 10.96.0.64", ""),
		serviceObject("back-lb", "", "externalIPs: [192.0.2.65], clusterIP: 10.96.0.65", ""),
		strings.Replace(serviceObject("waiting", "", "type: LoadBalancer, clusterIP: 10.96.0.66", ""), "namespace: infra", "namespace: town", 1),
		ingressObject("town", "web", "nginx", "{ip: 192.0.2.61}"),
		ingressObject("town", "proxied", "nginx", "{ip: 192.0.2.62}"),
		ingressObject("town", "metal", "bare", ""),
		ingressObject("town", "lost", "nginx", ""),
		ingressObject("town", "far", "nginx", "{ip: 198.51.100.1}"),
		ingressObject("slum", "poor", "nginx", "{ip: 192.0.2.61}"),
		`
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: records, namespace: town}
spec: {endpoints: [{dnsName: web.example.org, recordType: TXT, targets: [never]}, {dnsName: www.example.org, recordType: CNAME, targets: [web.example.org]}]}
`,
	}, "\n---\n")
}

// traefik returns what Traefik's chart makes, and a route: a Gateway whose listeners have the ports of the
// Pods, and a Service that leads to them by name.
func traefik() string {
	listeners := strings.NewReplacer("{name: http, port: 80,", "{name: web, port: 8000,", "name: front", "name: traefik", "192.0.2.64", "192.0.2.68")
	return strings.Join([]string{
		listeners.Replace(named("front", "192.0.2.64")),
		strings.NewReplacer("port: 80}", "port: 80, targetPort: web}", "port: 443}", "port: 443, targetPort: websecure}").
			Replace(serviceObject("traefik", "", "type: LoadBalancer, clusterIP: 10.96.0.68", "{ip: 192.0.2.68}")),
		traefikSlice(8000),
		routeObject("HTTPRoute", "chart.example.org", strings.Replace(frontRef, "name: front", "name: traefik", 1), "True"),
	}, "\n---\n")
}

// traefikSlice returns the EndpointSlice of that Service, whose Pods listen at a port.
func traefikSlice(web int) string {
	return fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: traefik-a, namespace: infra, labels: {kubernetes.io/service-name: traefik}}
addressType: IPv4
ports: [{name: http, port: %d}, {name: https, port: 8443}]
endpoints: [{addresses: [10.244.0.68]}]
`, web)
}

// named returns a Gateway of another name, which takes routes from all Namespaces.
func named(name, address string) string {
	return strings.Replace(gatewayObject("{from: All}", address), "name: front", "name: "+name, 1)
}

var answersInside = answers{
	"A web.example.org":            "NOERROR 10.96.0.61", // by the address
	"AAAA web.example.org":         noData,
	"HTTPS web.example.org":        noData,
	"SVCB web.example.org":         noData,
	"TXT web.example.org":          outside,
	"MX web.example.org":           outside,
	"A www.example.org":            "NOERROR 10.96.0.61 web.example.org.",
	"A proxied.example.org":        "NOERROR 192.0.2.62", // a load balancer that must be passed
	"A metal.example.org":          "NOERROR 10.96.0.63", // by the class, without a load balancer
	"A lost.example.org":           outside,
	"A far.example.org":            "NOERROR 198.51.100.1",
	"A poor.example.org":           outside, // without the Namespace's label
	"A waiting.town.example.org":   "NOERROR 10.96.0.66",
	"A lb.infra.example.org":       outside,              // also without the label
	"A shop.example.org":           "NOERROR 10.96.0.64", // by the label of the Gateway
	"A tea.example.org":            "NOERROR 10.96.0.65", // by the address of the Gateway
	"A chart.example.org":          "NOERROR 10.96.0.68", // by the address, at the port of the Pods
	"SOA example.org":              outside,
	"A example.org":                outside,
	"A lb.infra.svc.cluster.local": "NOERROR 10.96.0.61",
}

// TestGatewayInside follows what Pods get for published names.
func TestGatewayInside(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, definitions(t)...)
	c.apply(t, objectsInside(), traefik(), named("front", "192.0.2.64"), named("back", "192.0.2.65"),
		routeObject("HTTPRoute", "shop.example.org", frontRef, "True"),
		routeObject("HTTPRoute", "tea.example.org", strings.Replace(frontRef, "name: front", "name: back", 1), "True"))
	u := c.publisher(t, "inside", publishers...)
	s := start(t, insideBlock(t, u.direct(t)))
	s.await(t, answersInside)
	t.Run("changes", func(t *testing.T) { changeInside(t, c, s) })
	t.Run("routability", func(t *testing.T) { routabilityInside(t, c, s) })
}

func changeInside(t *testing.T, c *cluster, s *server) {
	c.apply(t, serviceObject("proxy", "", "type: LoadBalancer, clusterIP: 10.96.0.62", "{ip: 192.0.2.62, ipMode: VIP}"))
	s.await(t, answers{"A proxied.example.org": "NOERROR 10.96.0.62"})
	c.apply(t, strings.Replace(namespacesInside, "name: slum", `name: slum, labels: {names.example.com/example.org: "true"}`, 1))
	s.await(t, answers{"A poor.example.org": "NOERROR 10.96.0.61"})
	c.remove(t, "Service infra/lb")
	s.await(t, answers{"A web.example.org": "NOERROR 192.0.2.61", "A poor.example.org": "NOERROR 192.0.2.61"})
	c.apply(t, traefikSlice(9000))
	s.await(t, answers{"A chart.example.org": "NOERROR 192.0.2.68"})
	c.apply(t, traefikSlice(8000))
	s.await(t, answers{"A chart.example.org": "NOERROR 10.96.0.68"})
	c.remove(t, "Service infra/bare")
	s.await(t, answers{"A metal.example.org": outside})
	c.remove(t, "Service infra/front-istio")
	s.await(t, answers{"A shop.example.org": "NOERROR 192.0.2.64"})
}

// routabilityInside is about a field that no release of the Gateway API has yet (GEP-1651): an API server
// refuses it, until the definition has it.
func routabilityInside(t *testing.T, c *cluster, s *server) {
	within := strings.Replace(named("front", "192.0.2.64"), "value: 192.0.2.64}", "value: 192.0.2.64}, {value: 10.96.0.67, routability: Cluster}", 1)
	if err := c.Apply(t.Context(), []byte(within)); err == nil || !strings.Contains(err.Error(), "routability") {
		t.Errorf("the definition has the field now: %v", err)
	}
	c.apply(t, withRoutability(t, definitions(t)[0]))
	eventually(t, func() error { // the API server may drop the field for some time yet
		return errors.Join(c.Apply(t.Context(), []byte(within)), s.wrong(answers{"A shop.example.org": "NOERROR 10.96.0.67"}))
	})
}

// withRoutability returns the definition of Gateways with the field in the addresses of the status.
func withRoutability(t *testing.T, all string) string {
	t.Helper()
	for text := range strings.SplitSeq(all, "\n---\n") {
		var definition unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(text), &definition.Object); err != nil {
			t.Fatal(err)
		}
		if kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind"); kind != "Gateway" {
			continue
		}
		versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
		for _, version := range versions {
			field := map[string]any{"type": "string"}
			at := strings.Fields("schema openAPIV3Schema properties status properties addresses items properties routability")
			if err := unstructured.SetNestedField(version.(map[string]any), field, at...); err != nil {
				t.Fatal(err)
			}
		}
		if err := unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions"); err != nil {
			t.Fatal(err)
		}
		delete(definition.Object, "status")
		made, err := yaml.Marshal(definition.Object)
		if err != nil {
			t.Fatal(err)
		}
		return string(made)
	}
	t.Fatal("no definition of Gateways")
	return ""
}
