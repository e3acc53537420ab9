//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/lab"
)

// place is a node with a Pod that asks, and one that answers each question with the address
// of the client.
type place struct {
	*lab.Node
	client  client
	network lab.PodNetwork
	server  string // name of the answering Pod
}

// twoPlaces starts the Pods on both nodes. Without a second node it skips the test.
func twoPlaces(t *testing.T, name string) (namespace string, places []place) {
	t.Helper()
	nodes := cluster.Nodes()
	if len(nodes) < 2 {
		t.Skip("the lab has one node: make e2e-nodes brings one with two up")
	}
	namespace = newNamespace(t, name)
	image := serverImage(t)
	for _, n := range nodes {
		p := place{Node: n, server: "whoami-" + n.Name}
		apply(t, p.manifest(namespace, image))
		p.client = startClientOn(t, namespace, n)
		p.network = p.client.network(t)
		places = append(places, p)
	}
	for _, p := range places {
		awaitReady(t, namespace, p.server)
	}
	return namespace, places
}

// startClientOn starts a Pod to ask from on a node.
func startClientOn(t *testing.T, namespace string, n *lab.Node) client {
	t.Helper()
	return client{namespace: namespace, name: "client-" + n.Name, image: lab.Glibc, spec: onNode(n)}.start(t)
}

// onNode is the field of a Pod's spec that puts it on a node.
func onNode(n *lab.Node) string {
	return fmt.Sprintf(`nodeSelector: {kubernetes.io/hostname: %s}`, n.Name)
}

// manifest has the answering Pod, and two Services of which it is the only endpoint: NAME
// for any address of a node, and NAME-local, which the other node does not pass on.
func (p place) manifest(namespace, image string) string {
	service := func(name, policy string) string {
		return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec:
  type: NodePort
  externalTrafficPolicy: %s
  ipFamilyPolicy: RequireDualStack
  selector: {app: %s}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
`, name, namespace, policy, p.server)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: %[1]s, namespace: %[2]s}
data: {Corefile: ".:53 {\n ready\n whoami\n}\n"}
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: %[2]s, labels: {app: %[1]s}}
spec:
  terminationGracePeriodSeconds: 0
  %[4]s
  containers:
  - name: coredns
    image: %[3]s
    args: [-conf, /etc/coredns/Corefile]
    readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
  volumes: [{name: config, configMap: {name: %[1]s}}]
`, p.server, namespace, image, onNode(p.Node)) + service(p.server, "Cluster") + service(p.server+"-local", "Local")
}

// dialer connects from a Pod or from a node.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func (p place) fromPod(ctx context.Context, network, address string) (net.Conn, error) {
	return cluster.DialFrom(ctx, p.network, network, address)
}

// addresses are the values at a path of an object, for instance the addresses of a Pod in
// both families.
func addresses(t *testing.T, kind, namespace, name, path string) []string {
	t.Helper()
	found := strings.Fields(kubectl(t, "get", kind, "--namespace", namespace, name, "-o", "jsonpath={"+path+"}"))
	if len(found) == 0 {
		t.Fatalf("%s %s has nothing at %s", kind, name, path)
	}
	return found
}

func podAddresses(t *testing.T, namespace, pod string) []string {
	t.Helper()
	addrs := addresses(t, "pod", namespace, pod, ".status.podIPs[*].ip")
	if len(addrs) != 2 {
		t.Fatalf("Pod %s has the addresses %q, want one of each family", pod, addrs)
	}
	return addrs
}

// seesClient asks over UDP and TCP until the server says that it sees the client at the
// wanted address.
func seesClient(t *testing.T, dial dialer, server, port, want string) {
	t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		eventually(t, func(ctx context.Context) error {
			got, err := askClientAddress(ctx, dial, network, net.JoinHostPort(server, port))
			if err == nil && got != want {
				err = fmt.Errorf("%s at port %s sees the client at %s over %s, want %s", server, port, got, network, want)
			}
			return err
		})
	}
}

func askClientAddress(ctx context.Context, dial dialer, network, server string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, resolverTimeout)
	defer cancel()
	connection, err := dial(ctx, network, server)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	reply, _, err := new(dns.Client).ExchangeWithConnContext(ctx, new(dns.Msg).SetQuestion("whoami.example.", dns.TypeA), &dns.Conn{Conn: connection})
	if err != nil {
		return "", err
	}
	for _, rr := range reply.Extra {
		switch rr := rr.(type) {
		case *dns.A:
			return rr.A.String(), nil
		case *dns.AAAA:
			return rr.AAAA.String(), nil
		}
	}
	return "", fmt.Errorf("the reply has no address:\n%s", reply)
}
