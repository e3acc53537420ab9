//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// TestNodeHosts serves the names in the node's /etc/hosts beside those of the cluster, and
// asks for both from a Pod.
func TestNodeHosts(t *testing.T) {
	namespace := newNamespace(t, "node-hosts")
	server := "hosts-" + namespace
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: %[1]s, namespace: kube-system}
data:
  Corefile: |
    .:53 {
        errors
        ready
        hosts /etc/node/hosts {
            fallthrough
        }
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            fallthrough in-addr.arpa ip6.arpa
        }
        forward . /etc/resolv.conf
    }
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: kube-system}
spec:
  serviceAccountName: coredns
  dnsPolicy: Default
  terminationGracePeriodSeconds: 0
  containers:
  - name: coredns
    image: %[2]s
    args: [-conf, /etc/coredns/Corefile]
    readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}, {name: hosts, mountPath: /etc/node/hosts, readOnly: true}]
  volumes: [{name: config, configMap: {name: %[1]s}}, {name: hosts, hostPath: {path: /etc/hosts, type: File}}]
`, server, serverImage(t)))
	t.Cleanup(func() {
		args := []string{"delete", "--namespace=" + dnsNamespace, "pod/" + server, "configmap/" + server}
		if _, err := cluster.Kubectl(context.WithoutCancel(t.Context()), args...); err != nil {
			t.Error(err)
		}
	})
	awaitReady(t, dnsNamespace, server)
	c := client{namespace: namespace, name: "client", image: lab.Glibc}.start(t)
	at := "@" + podAddress(t, dnsNamespace, server)
	for _, tc := range []struct {
		name, qtype, want string
	}{
		{node.HostName, "A", node.HostAddress},
		{reverse(t, node.HostAddress), "PTR", node.HostName + "."},
		{kubernetesName, "A", "10.96.0.1"},
		{reverse(t, "10.96.0.1"), "PTR", kubernetesName},
		{"www.example.com", "A", "192.0.2.80"},
	} {
		c.eventuallyPrints(t, []string{tc.want}, "dig", "+short", at, tc.name, tc.qtype)
	}
}

func reverse(t *testing.T, address string) string {
	t.Helper()
	name, err := dns.ReverseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
