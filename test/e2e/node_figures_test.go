//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

// figures is set to measure what doc/node.md states.
var figures = flag.Bool("figures", false, "measure what is lost when the server on a node fails, beside a stand-in for NodeLocal DNSCache")

// watched is how long the questions are watched after a failure. A server that fails again
// and again is started again within it.
const watched = 10 * time.Second

// nodeDNS is a way to have a server on each node.
type nodeDNS struct {
	name      string
	install   func(*testing.T)
	selector  string
	configMap string
	daemonSet string
}

var nodeDNSes = []nodeDNS{
	{"deploy/node", func(t *testing.T) { restoreDeployment(t); installOnNodes(t) }, nodeSelector, "coredns-node", onEachNode},
	{"NodeLocal DNSCache (stand-in)", installStandIn, localSelector, "node-local-dns", "daemonset/node-local-dns"},
}

// nodeEvents are what happens to the server on the client's node.
var nodeEvents = []struct {
	name   string
	happen func(*testing.T, nodeDNS, nodeServer)
}{
	{"killed (-9)", func(t *testing.T, _ nodeDNS, s nodeServer) { kill(t, s.container(t)) }},
	{"Pod deleted", func(t *testing.T, _ nodeDNS, s nodeServer) { deletePod(t, s) }},
	{"Pod deleted by force", func(t *testing.T, _ nodeDNS, s nodeServer) { deletePod(t, s, "--force", "--grace-period=0") }},
	{"DaemonSet rolled through both nodes", func(t *testing.T, d nodeDNS, _ nodeServer) {
		kubectl(t, "rollout", "restart", "--namespace="+dnsNamespace, d.daemonSet)
	}},
	{"Corefile broken, then killed (-9)", func(t *testing.T, d nodeDNS, s nodeServer) {
		breakCorefile(t, d.configMap)
		kill(t, s.container(t))
	}},
}

// TestFiguresOfNodeDNS measures how many questions of a Pod are lost, and how long none is
// answered, when the server on its node fails.
func TestFiguresOfNodeDNS(t *testing.T) {
	if !*figures {
		t.Skip("measures for minutes: make e2e-figures")
	}
	_, places := twoPlaces(t, "figures")
	var table strings.Builder
	for _, d := range nodeDNSes {
		t.Run(d.name, func(t *testing.T) {
			d.install(t)
			for _, event := range nodeEvents {
				if err := cluster.AwaitRollout(t.Context(), dnsNamespace, d.daemonSet); err != nil {
					t.Fatal(err)
				}
				s := startStream(t, places[0].network, rollRate)
				s.await(t, 2*rollRate)
				event.happen(t, d, nodeServer{Node: places[0].Node, selector: d.selector})
				time.Sleep(watched) // the time is what is measured
				silence := s.longestSilence()
				asked, lost := s.stop()
				row := fmt.Sprintf("| %s | %s | %d of %d | %.2f s |", event.name, d.name, len(lost), asked, silence.Seconds())
				t.Log(row)
				table.WriteString(row + "\n")
			}
		})
	}
	t.Logf("| event | server on the node | questions lost | longest time without an answer |\n|---|---|---|---|\n%s", table.String())
}

func deletePod(t *testing.T, s nodeServer, how ...string) {
	t.Helper()
	kubectl(t, append([]string{"delete", "pod", "--namespace=" + dnsNamespace, s.awaitPod(t, ".metadata.name"), "--wait=false"}, how...)...)
}

// breakCorefile puts a Corefile that no server starts with into a ConfigMap, waits until it
// has reached the nodes, and puts the original back when the test ends.
func breakCorefile(t *testing.T, configMap string) {
	t.Helper()
	original := kubectl(t, "get", "configmap", "--namespace="+dnsNamespace, configMap, "-o", "jsonpath={.data.Corefile}")
	patch := func(text string) {
		patch, err := json.Marshal(map[string]any{"data": map[string]string{"Corefile": text}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if _, err := cluster.Kubectl(ctx, "patch", "configmap", "--namespace="+dnsNamespace, configMap, "--patch", string(patch)); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { patch(original) })
	patch("nonsense {\n" + original)
	time.Sleep(2 * syncTime) // the kubelet writes it to the volume at its next look
}

// syncTime is how often the kubelets of the lab look for changes of ConfigMaps.
const syncTime = 5 * time.Second
