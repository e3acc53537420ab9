//go:build e2e

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/lab"
)

const (
	// onEachNode is the DaemonSet of deploy/node.
	onEachNode = "daemonset/coredns-node"
	// nodeSelector selects its Pods.
	nodeSelector = "clusterdns.example/on=node"
	// rollRate is how many queries a second a Pod on each node asks while the DaemonSet is
	// rolled.
	rollRate = 1000
)

// rollQueries is how many queries each of these Pods asks at least.
var rollQueries = flag.Int("roll-queries", 20000, "how many `queries` a Pod on each node asks while the DaemonSet is rolled")

// TestNodeDNS goes the way of doc/node.md from the Deployment to a server on each node, stays
// there for a while, and goes back.
func TestNodeDNS(t *testing.T) {
	_, places := twoPlaces(t, "node-dns")
	restoreDeployment(t)
	for _, step := range []struct {
		name string
		take func(*testing.T, []place)
	}{
		{"There", goThere},
		{"OwnNode", askOwnNode},
		{"Roll", roll},
		{"Alone", endAlone},
		{"Back", goBack},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.take(t, places) }) {
			return
		}
	}
}

// goThere loses no question of a Pod on any node on the way to deploy/node.
func goThere(t *testing.T, places []place) {
	streams := askFrom(t, places, steadyRate)
	installOnNodes(t)
	streams.awaitMore(t, 2000)
	streams.stopWithoutLoss(t)
}

// goBack does the same on the way back.
func goBack(t *testing.T, places []place) {
	streams := askFrom(t, places, steadyRate)
	leaveNodes(t)
	streams.awaitMore(t, 2000)
	streams.stopWithoutLoss(t)
}

// askOwnNode asks from a Pod on each node: the server on that node answers.
func askOwnNode(t *testing.T, places []place) {
	for _, p := range places {
		answersOwnNode(t, p, places)
	}
}

// roll replaces the servers on both nodes again and again, while a Pod on each node asks.
func roll(t *testing.T, places []place) {
	streams := askFrom(t, places, rollRate)
	rolls := 0
	for ; rolls == 0 || streams.least() < *rollQueries; rolls++ {
		kubectl(t, "rollout", "restart", "--namespace="+dnsNamespace, onEachNode)
		awaitOnNodes(t)
	}
	t.Logf("rolled %d times through both nodes", rolls)
	streams.stopWithoutLoss(t)
}

// streams are one stream from each node.
type streams []*stream

func askFrom(t *testing.T, places []place, rate int) (all streams) {
	t.Helper()
	for _, p := range places {
		all = append(all, startStream(t, p.network, rate))
	}
	all.awaitMore(t, 100)
	return all
}

// awaitMore waits until each stream has asked so many queries more.
func (s streams) awaitMore(t *testing.T, queries int) {
	t.Helper()
	before := make([]int, len(s))
	for i, one := range s {
		before[i] = one.count()
	}
	for i, one := range s {
		one.await(t, before[i]+queries)
	}
}

// least returns how many queries the stream with the fewest has asked.
func (s streams) least() int {
	counts := make([]int, 0, len(s))
	for _, one := range s {
		counts = append(counts, one.count())
	}
	return slices.Min(counts)
}

func (s streams) stopWithoutLoss(t *testing.T) {
	t.Helper()
	for _, one := range s {
		one.stopWithoutLoss(t)
	}
}

// installOnNodes goes the way there.
func installOnNodes(t *testing.T) {
	t.Helper()
	node := overlayOf(t, "node", serverImage(t))
	kubectl(t, "delete", "--namespace="+dnsNamespace, "pdb/coredns", "--ignore-not-found")
	kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", node)
	awaitOnNodes(t)
	kubectl(t, "scale", "--namespace="+dnsNamespace, "deployment/coredns", "--replicas=0")
	awaitOnlyPods(t, nodeSelector)
}

// leaveNodes goes the way back.
func leaveNodes(t *testing.T) {
	t.Helper()
	kubectl(t, "scale", "--namespace="+dnsNamespace, "deployment/coredns", "--replicas=2")
	awaitServer(t)
	kubectl(t, "patch", "--namespace="+dnsNamespace, "service/kube-dns", "--type=json", "-p", `[{"op": "remove", "path": "/spec/trafficDistribution"}]`)
	kubectl(t, "delete", "--namespace="+dnsNamespace, onEachNode, "configmap/coredns-node")
	awaitOnlyPods(t, "!clusterdns.example/on")
}

// restoreDeployment brings what the lab has installed back at the end of the test.
func restoreDeployment(t *testing.T) {
	t.Helper()
	base := overlayOf(t, "kubernetes", serverImage(t))
	t.Cleanup(func() { restoreFrom(t, base) })
}

func restoreFrom(t *testing.T, base string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, args := range [][]string{
		{"apply", "--server-side", "--force-conflicts", "-k", base},
		{"rollout", "status", "--namespace=" + dnsNamespace, "deployment/coredns", "--timeout=" + patience.String()},
		{"delete", "--namespace=" + dnsNamespace, onEachNode, "configmap/coredns-node", "--ignore-not-found"},
		{"wait", "--namespace=" + dnsNamespace, "pod", "--selector=" + nodeSelector, "--for=delete", "--timeout=" + patience.String()},
	} {
		if _, err := cluster.Kubectl(ctx, args...); err != nil {
			t.Error(err)
		}
	}
}

// overlayOf writes an overlay that sets the image in a folder of deploy, and returns its
// folder.
func overlayOf(t *testing.T, folder, image string) string {
	t.Helper()
	root, err := lab.Repository()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	resource, err := filepath.Rel(dir, filepath.Join(root, "deploy", folder))
	if err != nil {
		t.Fatal(err)
	}
	name, tag, _ := strings.Cut(image, ":")
	text := fmt.Sprintf("resources: [%s]\nimages: [{name: registry.example/clusterdns/coredns, newName: %s, newTag: %s}]\n", resource, name, tag)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func awaitOnNodes(t *testing.T) {
	t.Helper()
	if err := cluster.AwaitRollout(t.Context(), dnsNamespace, onEachNode); err != nil {
		t.Fatal(err)
	}
}

// awaitOnlyPods waits until all DNS Pods are those of the selector, ending ones included.
func awaitOnlyPods(t *testing.T, selector string) {
	t.Helper()
	list := func(ctx context.Context, selector string) (string, error) {
		return cluster.Kubectl(ctx, "get", "pods", "--namespace="+dnsNamespace, "--selector="+selector, "-o", "jsonpath={.items[*].metadata.name}")
	}
	eventually(t, func(ctx context.Context) error {
		all, err := list(ctx, "k8s-app=kube-dns")
		if err != nil {
			return err
		}
		want, err := list(ctx, "k8s-app=kube-dns,"+selector)
		if err == nil && (all != want || all == "") {
			err = fmt.Errorf("DNS Pods %q, want only %q", all, want)
		}
		return err
	})
}

// answersOwnNode waits until the server on a Pod's node, and no other, answers the Pod.
func answersOwnNode(t *testing.T, from place, places []place) {
	t.Helper()
	const queries = 50
	eventually(t, func(ctx context.Context) error {
		before, err := answeredByNode(ctx, places)
		if err != nil {
			return err
		}
		for range queries {
			if err := from.ask(ctx); err != nil {
				return err
			}
		}
		after, err := answeredByNode(ctx, places)
		if err != nil {
			return err
		}
		for _, p := range places {
			more := after[p.Name] - before[p.Name]
			if own := p.Name == from.Name; own && more < queries || !own && more > 0 {
				return fmt.Errorf("asked %d queries on %s: the server on %s has answered %d", queries, from.Name, p.Name, more)
			}
		}
		return nil
	})
}

// ask asks the cluster's DNS once.
func (p place) ask(ctx context.Context) error {
	connection, err := p.fromPod(ctx, "udp", lab.DNS)
	if err != nil {
		return err
	}
	defer connection.Close()
	reply, _, err := new(dns.Client).ExchangeWithConnContext(ctx, askKubernetes(), &dns.Conn{Conn: connection})
	if err != nil {
		return err
	}
	return isKubernetes(reply)
}
