//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/lab"
)

// The addresses of two load balancers, in the node's network.
const (
	frontAddress = "172.30.0.200"
	dns1Address  = "172.30.0.201"
)

const publishedCorefile = `
.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        fallthrough in-addr.arpa ip6.arpa
    }
    k8s_gateway shop.example {
        resources Ingress Service HTTPRoute
        inside
    }
    forward . /etc/resolv.conf
}
shop.example:1053 {
    errors
    k8s_gateway {
        resources Ingress Service HTTPRoute
    }
}
`

// TestPublished loads a page from a Gateway and from an Ingress by their names. A Pod reaches them at the ClusterIP. A
// client of the delegated zone reaches them at the address outside.
func TestPublished(t *testing.T) {
	namespace := newNamespace(t, "published")
	grantPublished(t)
	front := publishFront(t, namespace)
	server := startPublisher(t, namespace)
	start := func(name, nameserver, spec string) client {
		spec = fmt.Sprintf(`%s"dnsPolicy": "None", "dnsConfig": {"nameservers": [%q]}`, spec, nameserver)
		return client{namespace: namespace, name: name, image: lab.Glibc, spec: spec}.start(t)
	}
	inside := start("inside", podAddress(t, dnsNamespace, server), "")
	outside := start("outside", dns1Address, `"hostNetwork": true, `)
	for _, host := range []string{"route.shop.example", "ingress.shop.example"} {
		load := []string{"curl", "--silent", "--max-time", "5", "--write-out", "%{remote_ip}", "http://" + host}
		inside.eventuallyPrints(t, []string{"page", front}, load...)
		outside.eventuallyPrints(t, []string{"page", frontAddress}, load...)
	}
	outside.eventuallyPrints(t, []string{"dns1.kube-system.shop.example."}, "dig", "+short", "shop.example", "NS")
	outside.eventuallyPrints(t, []string{dns1Address}, "dig", "+short", "dns1.kube-system.shop.example")
}

// grantPublished installs the kinds of the Gateway API, and gives the server the rights to read them.
func grantPublished(t *testing.T) {
	t.Helper()
	definitions, err := controlplane.GatewayDefinitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := lab.Repository()
	if err != nil {
		t.Fatal(err)
	}
	rights := filepath.Join(root, "deploy/published")
	kubectl(t, "apply", "-k", rights)
	cleanUp(t, "delete", "-k", rights)
	apply(t, string(definitions))
	for _, kind := range []string{"gateways", "listenersets", "httproutes", "grpcroutes", "tlsroutes"} {
		definition := "customresourcedefinition/" + kind + ".gateway.networking.k8s.io"
		cleanUp(t, "delete", "--wait=false", definition)
		kubectl(t, "wait", "--for=condition=Established", "--timeout="+patience.String(), definition)
	}
}

// publishFront makes a web server with a load balancer, a Gateway and an Ingress that lead there, and says in their
// statuses what controllers would say. It returns the ClusterIP.
func publishFront(t *testing.T, namespace string) string {
	t.Helper()
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Pod, metadata: {name: front, namespace: %[1]s, labels: {app: front}}, spec: {terminationGracePeriodSeconds: 0, containers: [
  {name: httpd, image: %[2]q, command: [sh, -c, "mkdir /www && echo page >/www/index.html && exec httpd -f -p 8080 -h /www"]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: front, namespace: %[1]s, labels: {gateway.networking.k8s.io/gateway-name: front}},
  spec: {type: LoadBalancer, selector: {app: front}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: front, namespace: %[1]s}, spec: {rules: [{host: ingress.shop.example}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: %[1]s},
  spec: {gatewayClassName: example, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: front, namespace: %[1]s},
  spec: {hostnames: [route.shop.example], parentRefs: [{name: front}]}}
`, namespace, lab.Busybox))
	awaitReady(t, namespace, "front")
	balancer := map[string]any{"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": frontAddress}}}}
	setStatus(t, namespace, "service/front", balancer)
	setStatus(t, namespace, "ingress/front", balancer)
	setStatus(t, namespace, "gateway/front", map[string]any{"addresses": []any{map[string]any{"type": "IPAddress", "value": frontAddress}}})
	setStatus(t, namespace, "httproute/front", map[string]any{"parents": []any{map[string]any{
		"controllerName": "example.org/controller", "parentRef": map[string]any{"name": "front"},
		"conditions": []any{map[string]any{
			"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
		}},
	}}})
	return kubectl(t, "get", "service", "--namespace="+namespace, "front", "-o", "jsonpath={.spec.clusterIP}")
}

// startPublisher starts a server with publishedCorefile and returns the name of its Pod. Its second server block has the
// address of a load balancer.
func startPublisher(t *testing.T, namespace string) string {
	t.Helper()
	server := "server-" + namespace
	corefile, err := json.Marshal(publishedCorefile)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: ConfigMap, metadata: {name: %[1]s, namespace: kube-system}, data: {Corefile: %[2]s}}
---
{apiVersion: v1, kind: Service, metadata: {name: dns1, namespace: kube-system},
  spec: {type: LoadBalancer, selector: {app: %[1]s}, ports: [
    {name: dns, protocol: UDP, port: 53, targetPort: 1053}, {name: dns-tcp, protocol: TCP, port: 53, targetPort: 1053}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: kube-system, labels: {app: %[1]s}}
spec:
  serviceAccountName: coredns
  dnsPolicy: Default
  terminationGracePeriodSeconds: 0
  containers:
  - name: coredns
    image: %[3]s
    args: [-conf, /etc/coredns/Corefile]
    readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
  volumes: [{name: config, configMap: {name: %[1]s}}]
`, server, corefile, serverImage(t)))
	cleanUp(t, "delete", "--namespace="+dnsNamespace, "pod/"+server, "configmap/"+server, "service/dns1")
	setStatus(t, dnsNamespace, "service/dns1", map[string]any{"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": dns1Address}}}})
	awaitReady(t, dnsNamespace, server)
	return server
}

// setStatus sets the status of an object, as its controller does.
func setStatus(t *testing.T, namespace, object string, status any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "patch", "--namespace="+namespace, object, "--subresource=status", "--type=merge", "--patch="+string(patch))
}

// cleanUp runs a command of kubectl when the test has ended.
func cleanUp(t *testing.T, args ...string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := cluster.Kubectl(context.WithoutCancel(t.Context()), args...); err != nil {
			t.Error(err)
		}
	})
}
