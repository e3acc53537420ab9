package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// publishers are the resources that k8s_gateway watches besides Services and Namespaces.
var publishers = []string{"ingresses", "gateways", "listenersets", "httproutes", "grpcroutes", "tlsroutes", "dnsendpoints"}

// custom are those of them that an API server does not have by itself.
var custom = publishers[1:]

const publisherRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME-published}
rules:
- {apiGroups: [networking.k8s.io, gateway.networking.k8s.io, externaldns.k8s.io], resources: [RESOURCES], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME-published}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME-published}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NAME}]
`

// publisher makes a user that may list and watch what k8s_gateway shows.
func (c *cluster) publisher(t *testing.T, name string, resources ...string) *user {
	t.Helper()
	u := c.user(t, name)
	c.apply(t, strings.NewReplacer("NAME", name, "RESOURCES", strings.Join(resources, ", ")).Replace(publisherRole))
	return u
}

// gatewayBlock returns a server block with k8s_gateway alone.
func gatewayBlock(source string) string {
	return fmt.Sprintf(`example.org:0 {
 bind 127.0.0.1
 errors
 k8s_gateway {
  resources Ingress Service HTTPRoute TLSRoute GRPCRoute DNSEndpoint
  %s
 }
}
`, source)
}

const ingressAndService = `
{apiVersion: v1, kind: Namespace, metadata: {name: town, labels: {shop: open}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: infra}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: town}
spec: {ingressClassName: nginx, rules: [{host: web.example.org}, {host: "*.wild.example.org"}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.10}]}}
---
apiVersion: v1
kind: Service
metadata: {name: game, namespace: town}
spec: {type: LoadBalancer, ports: [{port: 53}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.20}]}}
---
apiVersion: v1
kind: Service
metadata: {name: named, namespace: town, annotations: {external-dns.alpha.kubernetes.io/hostname: named.example.org}}
spec: {type: LoadBalancer, ports: [{port: 53}]}
status: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}
`

var ingressAnswers = answers{
	"A web.example.org":       "NOERROR 192.0.2.10",
	"AAAA web.example.org":    noData,
	"TXT web.example.org":     noData,
	"A x.wild.example.org":    "NOERROR 192.0.2.10",
	"A wild.example.org":      noData,
	"A game.town.example.org": "NOERROR 192.0.2.20",
	"A named.example.org":     "NOERROR lb.example.com.",
	"A never.example.org":     noName,
	"MX never.example.org":    noName,
}

// gatewayObject returns the Gateway infra/front with a controller's status.
func gatewayObject(from, address string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: infra}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: "*.example.org", allowedRoutes: {namespaces: %s}}]
  allowedListeners: {namespaces: {from: All}}
status:
  addresses: [{type: IPAddress, value: %s}]
`, from, address)
}

// routeObject returns a route town/NAME with what a controller says of it.
func routeObject(kind, host, parent, accepted string) string {
	return fmt.Sprintf(`
apiVersion: gateway.networking.k8s.io/v1
kind: %s
metadata: {name: %s, namespace: town}
spec:
  hostnames: [%[3]s]
  parentRefs: [%[4]s]
  rules: [{backendRefs: [{name: web, port: 80}]}]
status:
  parents:
  - controllerName: example.org/controller
    parentRef: %[4]s
    conditions: [{type: Accepted, status: %[5]q, reason: Accepted, message: "", lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1}]
`, kind, strings.Split(host, ".")[0], host, parent, accepted)
}

const (
	frontRef = "{group: gateway.networking.k8s.io, kind: Gateway, name: front, namespace: infra}"
	moreRef  = "{group: gateway.networking.k8s.io, kind: ListenerSet, name: more}"

	listenerSetObject = `
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: town}
spec: {parentRef: {name: front, namespace: infra}, listeners: [{name: tls, port: 443, protocol: TLS, hostname: tls.example.org, tls: {mode: Passthrough}}]}
status:
  conditions: [{type: Accepted, status: "True", reason: Accepted, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]
`
	endpointObject = `
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: records, namespace: town}
spec: {endpoints: [{dnsName: text.example.org, recordType: TXT, targets: [hello]}, {dnsName: six.example.org, recordType: AAAA, targets: ["2001:db8::1"]}]}
`
)

// definitions returns the CustomResourceDefinitions that k8s_gateway reads, as their projects
// publish them.
func definitions(t *testing.T) []string {
	t.Helper()
	gateways, err := controlplane.GatewayDefinitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	endpoints, err := controlplane.EndpointDefinition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(gateways), string(endpoints)}
}

// TestGateway follows a cluster that gets the Gateway API while the server runs, changes it, loses
// a kind of it, and gets it again.
func TestGateway(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	u := c.publisher(t, "gateway", publishers...)
	s := start(t, gatewayBlock(u.direct(t)))
	c.apply(t, ingressAndService)
	s.await(t, ingressAnswers)
	for _, resource := range custom {
		if lines := logged.mentioning("plugin/k8s_gateway", "the API server has no "+resource+"."); len(lines) != 1 {
			t.Errorf("%d lines about missing %s: %q", len(lines), resource, lines)
		}
	}

	c.apply(t, definitions(t)...)
	c.apply(t, gatewayObject("{from: Selector, selector: {matchLabels: {shop: open}}}", "192.0.2.40"), listenerSetObject, endpointObject,
		routeObject("HTTPRoute", "shop.example.org", frontRef, "True"),
		routeObject("GRPCRoute", "refused.example.org", frontRef, "False"),
		routeObject("TLSRoute", "tls.example.org", moreRef, "True"))
	s.await(t, answers{
		"A shop.example.org":    "NOERROR 192.0.2.40",
		"A refused.example.org": noName,
		"A tls.example.org":     "NOERROR 192.0.2.40",
		"TXT text.example.org":  `NOERROR "hello"`,
		"AAAA six.example.org":  "NOERROR 2001:db8::1",
		"A six.example.org":     noData,
	})

	c.apply(t, gatewayObject("{from: All}", "192.0.2.41"), routeObject("GRPCRoute", "refused.example.org", frontRef, "True"))
	s.await(t, answers{"A shop.example.org": "NOERROR 192.0.2.41", "A tls.example.org": "NOERROR 192.0.2.41", "A refused.example.org": "NOERROR 192.0.2.41"})
	c.apply(t, gatewayObject("{from: Same}", "192.0.2.41"))
	s.await(t, answers{"A shop.example.org": noName, "A tls.example.org": "NOERROR 192.0.2.41"})
	c.apply(t, gatewayObject("{from: All}", "192.0.2.41"))
	s.await(t, answers{"A shop.example.org": "NOERROR 192.0.2.41"})

	c.removeDefinition(t, "httproutes.gateway.networking.k8s.io")
	s.await(t, answers{"A shop.example.org": noName, "A refused.example.org": "NOERROR 192.0.2.41"})
	s.expect(t, ingressAnswers)
	eventually(t, func() error {
		if lines := logged.mentioning("plugin/k8s_gateway", "the API server has no httproutes."); len(lines) != 2 { // before and after
			return fmt.Errorf("%d lines about missing httproutes: %q", len(lines), lines)
		}
		return nil
	})
	c.apply(t, definitions(t)...)
	c.apply(t, routeObject("HTTPRoute", "shop.example.org", frontRef, "True"))
	s.await(t, answers{"A shop.example.org": "NOERROR 192.0.2.41"})
}

var definitionResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// removeDefinition removes a CustomResourceDefinition with its objects.
func (c *cluster) removeDefinition(t *testing.T, name string) {
	t.Helper()
	if err := c.dynamic.Resource(definitionResource).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if _, err := c.dynamic.Resource(definitionResource).Get(context.Background(), name, metav1.GetOptions{}); err == nil {
			return fmt.Errorf("%s still exists", name)
		}
		return nil
	})
}

// Beside the cluster's own names, all comes from one watcher. What its user may not watch costs one
// line, and holds nothing up.
func TestGatewayBesideTheCluster(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, definitions(t)...)
	c.apply(t, ingressAndService, gatewayObject("{from: All}", "192.0.2.50"), routeObject("HTTPRoute", "shop.example.org", frontRef, "True"), endpointObject)
	u := c.publisher(t, "beside", "ingresses", "gateways", "listenersets", "httproutes", "grpcroutes", "tlsroutes")
	s := start(t, fmt.Sprintf(`example.org:0 cluster.local:0 {
 bind 127.0.0.1
 errors
 k8s_gateway example.org {
  resources Ingress Service HTTPRoute DNSEndpoint
 }
 kubernetes cluster.local {
  startup_timeout %s
  %s
 }
}
`, patience, u.direct(t)))
	if got := s.ask("A game.town.svc.cluster.local"); !strings.HasPrefix(got, "NOERROR 10.") {
		t.Errorf("the ClusterIP of game: %s", got)
	}
	s.await(t, ingressAnswers)
	s.await(t, answers{"A shop.example.org": "NOERROR 192.0.2.50", "AAAA six.example.org": noName})
	if lines := logged.mentioning("plugin/kubernetes", "not allowed to", "dnsendpoints", "beside"); len(lines) != 1 {
		t.Errorf("%d lines about dnsendpoints: %q", len(lines), lines)
	}
	if n := count(u.requests(t), "services"); n > 2 { // a list and a watch, or a stream alone
		t.Errorf("%d requests for Services: %q", n, u.requests(t))
	}
}

// count returns how many requests are for a resource.
func count(requests []string, resource string) (n int) {
	for _, r := range requests {
		if strings.HasSuffix(r, " "+resource) {
			n++
		}
	}
	return n
}

const labelledServices = `
{apiVersion: v1, kind: Namespace, metadata: {name: town}}
---
apiVersion: v1
kind: Service
metadata: {name: game, namespace: town, labels: {show: outside}}
spec: {type: LoadBalancer, ports: [{port: 53}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.20}]}}
---
apiVersion: v1
kind: Service
metadata: {name: hidden, namespace: town}
spec: {type: LoadBalancer, ports: [{port: 53}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.21}]}}
---
apiVersion: v1
kind: Node
metadata: {name: a}
status: {addresses: [{type: Hostname, address: node-1}, {type: InternalIP, address: 10.0.0.1}]}
`

// TestLabelledServicesAndNodes is about what newer versions of the plugin of others have.
func TestLabelledServicesAndNodes(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, labelledServices)
	u := c.user(t, "labelled")
	u.grant(t, append([]string{"nodes"}, watched...)...)
	const block = `example.org:0 {
 bind 127.0.0.1
 errors
 k8s_gateway {
  resources Service Node
  serviceLabelSelectors never show=outside
  %s
 }
}
`
	s := start(t, fmt.Sprintf(block, u.direct(t)))
	s.await(t, answers{"A game.town.example.org": "NOERROR 192.0.2.20", "A hidden.town.example.org": noName, "A node-1.example.org": "NOERROR 10.0.0.1"})
}

// badObjects are what an API server takes and no DNS server can show, and two objects with one name.
const badObjects = `
apiVersion: v1
kind: Service
metadata: {name: bad, namespace: town, annotations: {coredns.io/hostname: "foo_bar, good.example.org"}}
spec: {type: LoadBalancer, ports: [{port: 53}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.30}]}}
---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: bad, namespace: town}
spec: {endpoints: [{dnsName: "a b", recordType: A, targets: [192.0.2.31]}, {dnsName: web.example.org, recordType: A, targets: [192.0.2.31]}]}
`

// TestBadPublishedObjects is about objects that are not what they should be: each costs one line, the
// rest is served, and a metric counts names with two owners.
func TestBadPublishedObjects(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, definitions(t)...)
	c.apply(t, ingressAndService)
	u := c.publisher(t, "bad", publishers...)
	s := start(t, gatewayBlock(u.direct(t)))
	s.await(t, answers{"A web.example.org": "NOERROR 192.0.2.10"})
	made := time.Now().Unix()
	eventually(t, func() error { // objects of one second are of the same age
		if time.Now().Unix() == made {
			return errors.New("the clock stands still")
		}
		return nil
	})
	c.apply(t, badObjects, gatewayObject("{from: All}", "192.0.2.40"),
		routeObject("HTTPRoute", "lost.example.org", "{group: gateway.networking.k8s.io, kind: Gateway, name: gone, namespace: infra}", "True"))
	s.await(t, answers{"A good.example.org": "NOERROR 192.0.2.30"})
	for _, line := range []string{
		`Service town/bad: annotation coredns.io/hostname: "foo_bar" is no hostname`,
		`DNSEndpoint town/bad: spec.endpoints[0].dnsName "a b" is no domain name`,
		"DNSEndpoint town/bad has the name web.example.org., as the older Ingress town/web, with other records",
		"HTTPRoute town/lost leads to Gateway infra/gone, which is not there",
	} {
		eventually(t, func() error {
			if lines := logged.mentioning("plugin/k8s_gateway", line); len(lines) != 1 {
				return fmt.Errorf("%d lines about %s", len(lines), line)
			}
			return nil
		})
	}
	if got := metrics.Total(t, "coredns_clusterdns_published_contested_names"); got != 1 {
		t.Errorf("%v names are contested, want 1", got)
	}
	s.expect(t, ingressAnswers)
}
