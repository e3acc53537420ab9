//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestNodesNetwork has what the DNS of a cluster of two nodes rests on: the networks of Pods,
// which the nodes' CNI plugins make, the routes between them, and kube-proxy.
func TestNodesNetwork(t *testing.T) {
	namespace, places := twoPlaces(t, "nodes")
	for _, tc := range []struct {
		name string
		test func(*testing.T, string, []place)
	}{
		{"PodToPod", podToPod},
		{"NodeToPod", nodeToPod},
		{"ClusterIP", clusterIP},
		{"ClusterIPFromNode", clusterIPFromNode},
		{"NodePort", nodePort},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, namespace, places) })
	}
}

// podToPod asks from a Pod on each node to a Pod on each node, in both families: the
// network of Pods changes no address.
func podToPod(t *testing.T, namespace string, places []place) {
	for _, from := range places {
		clients := podAddresses(t, namespace, from.client.name)
		for _, to := range places {
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				for family, server := range podAddresses(t, namespace, to.server) {
					seesClient(t, from.fromPod, server, "53", clients[family])
				}
			})
		}
	}
}

// nodeToPod asks from a node itself. Pods on another node see the node's address,
// and those on the node see the gateway of its Pods.
func nodeToPod(t *testing.T, namespace string, places []place) {
	for _, from := range places {
		for _, to := range places {
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				server := podAddresses(t, namespace, to.server)[0]
				want := from.Address
				if from.Name == to.Name {
					want = gatewayOf(t, server)
				}
				seesClient(t, from.Dial, server, "53", want)
			})
		}
	}
}

// gatewayOf returns the first address of the range that a node gives its Pods.
func gatewayOf(t *testing.T, pod string) string {
	t.Helper()
	prefix, err := netip.MustParseAddr(pod).Prefix(24)
	if err != nil {
		t.Fatal(err)
	}
	return prefix.Addr().Next().String()
}

// clusterIP asks Services from Pods, in both families: kube-proxy changes the
// address of the server, and not that of the client.
func clusterIP(t *testing.T, namespace string, places []place) {
	for _, from := range places {
		clients := podAddresses(t, namespace, from.client.name)
		for _, to := range places {
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				for family, service := range addresses(t, "service", namespace, to.server, ".spec.clusterIPs[*]") {
					seesClient(t, from.fromPod, service, "53", clients[family])
				}
			})
		}
	}
}

// clusterIPFromNode asks Services from the nodes, as the kubelet and Pods in the
// network of the node do.
func clusterIPFromNode(t *testing.T, namespace string, places []place) {
	for _, from := range places {
		for _, to := range places {
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				service := addresses(t, "service", namespace, to.server, ".spec.clusterIPs[0]")[0]
				want := from.Address
				if from.Name == to.Name {
					want = gatewayOf(t, podAddresses(t, namespace, to.server)[0])
				}
				seesClient(t, from.Dial, service, "53", want)
			})
		}
	}
}

// nodePort asks a Pod through the port of each node, from Pods on both. A node that
// passes a question on to another one puts its own address in place of the client's. The
// port that passes nothing on keeps it.
func nodePort(t *testing.T, namespace string, places []place) {
	for _, to := range places {
		port := addresses(t, "service", namespace, to.server, ".spec.ports[0].nodePort")[0]
		local := addresses(t, "service", namespace, to.server+"-local", ".spec.ports[0].nodePort")[0]
		for _, from := range places {
			for _, through := range places {
				t.Run(fmt.Sprintf("%s through %s to %s", from.Name, through.Name, to.Name), func(t *testing.T) {
					want := through.Address
					if through.Name == to.Name {
						want = gatewayOf(t, podAddresses(t, namespace, to.server)[0])
					}
					seesClient(t, from.fromPod, through.Address, port, want)
				})
			}
			t.Run(fmt.Sprintf("%s to %s only", from.Name, to.Name), func(t *testing.T) {
				seesClient(t, from.fromPod, to.Address, local, podAddresses(t, namespace, from.client.name)[0])
			})
		}
	}
}
