//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/lab"
)

const (
	dnsNamespace = "kube-system"
	steadyRate   = 400 // queries a second
)

// TestRollout replaces the DNS Pods, as an upgrade does, while 20,000 queries are asked.
func TestRollout(t *testing.T) {
	s := startStream(t, startClient(t, "rollout").network(t), steadyRate)
	s.await(t, 100)
	kubectl(t, "rollout", "restart", "--namespace="+dnsNamespace, "deployment/coredns")
	awaitServer(t)
	s.await(t, 20000)
	s.stopWithoutLoss(t)
}

// TestReload edits the Corefile in the ConfigMap while queries are asked.
func TestReload(t *testing.T) {
	s := startStream(t, startClient(t, "reload").network(t), steadyRate)
	s.await(t, 100)
	original := currentCorefile(t)
	t.Cleanup(func() { setCorefile(t, original) })
	setCorefile(t, strings.Replace(original, "errors\n", "errors\n    template IN TXT reloaded.test {\n        answer \"{{ .Name }} 5 IN TXT yes\"\n    }\n", 1))
	awaitLog(t, "Reloading complete")
	s.await(t, s.count()+2000)
	s.stopWithoutLoss(t)
}

// TestBadCorefile puts an invalid Corefile into the ConfigMap: the server logs that and
// keeps the old one.
func TestBadCorefile(t *testing.T) {
	for _, tc := range []struct{ name, old, bad, complaint string }{
		{"syntax", "loadbalance\n}", "loadbalance\n}nonsense {", "Corefile parse failed"},
		{"plugin", "errors\n", "errors\n    nonsense\n", "Corefile changed but reload failed"},
		{"property", "pods insecure\n", "pods nonsense\n", "Corefile changed but reload failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := startStream(t, startClient(t, "bad-corefile").network(t), steadyRate)
			s.await(t, 100)
			original := currentCorefile(t)
			t.Cleanup(func() { setCorefile(t, original) })
			setCorefile(t, strings.Replace(original, tc.old, tc.bad, 1))
			awaitLog(t, tc.complaint)
			s.await(t, s.count()+2000)
			s.stopWithoutLoss(t)
		})
	}
}

// startClient starts a Pod to ask from, in a namespace of the same name.
func startClient(t *testing.T, name string) client {
	t.Helper()
	return client{namespace: newNamespace(t, name), name: "client", image: lab.Glibc}.start(t)
}

func awaitServer(t *testing.T) {
	t.Helper()
	if err := cluster.AwaitRollout(t.Context(), dnsNamespace, "deployment/coredns"); err != nil {
		t.Fatal(err)
	}
}

// awaitSettled waits until the DNS Pods are those that the Deployment wants, and the node's
// tables lead to no others: from then on no query may be lost.
func awaitSettled(t *testing.T) {
	t.Helper()
	awaitServer(t)
	eventually(t, func(ctx context.Context) error {
		ending, err := cluster.Kubectl(ctx, "get", "pods", "--namespace="+dnsNamespace, "--selector=k8s-app=kube-dns",
			"-o", "jsonpath={.items[*].metadata.deletionTimestamp}")
		if err == nil && ending != "" {
			err = fmt.Errorf("a DNS Pod is still to end since %s", ending)
		}
		return err
	})
	eventually(t, func(ctx context.Context) error {
		for range 100 {
			if err := answers(ctx, "udp", lab.DNS); err != nil {
				return err
			}
		}
		return nil
	})
}

func currentCorefile(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "configmap", "--namespace="+dnsNamespace, "coredns", "-o", "jsonpath={.data.Corefile}")
}

// setCorefile replaces the Corefile. It also works during cleanup.
func setCorefile(t *testing.T, text string) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"Corefile": text}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = cluster.Kubectl(context.WithoutCancel(t.Context()), "patch", "configmap", "--namespace="+dnsNamespace, "coredns", "--patch", string(patch))
	if err != nil {
		t.Error(err)
	}
}

// awaitLog waits until every DNS Pod has logged the words.
func awaitLog(t *testing.T, words string) {
	t.Helper()
	since := time.Now().Format(time.RFC3339)
	for _, pod := range serverPods(t) {
		eventually(t, func(ctx context.Context) error {
			log, err := cluster.Kubectl(ctx, "logs", "--namespace="+dnsNamespace, pod, "--since-time="+since)
			if err == nil && !strings.Contains(log, words) {
				err = fmt.Errorf("the log of %s has no %q:\n%s", pod, words, log)
			}
			return err
		})
	}
}

// serverPods returns the DNS Pods. It also works during cleanup.
func serverPods(t *testing.T) []string {
	t.Helper()
	names, err := cluster.Kubectl(context.WithoutCancel(t.Context()), "get", "pods", "--namespace="+dnsNamespace, "--selector=k8s-app=kube-dns",
		"-o", "jsonpath={.items[*].metadata.name}")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(names)
}

// setServerImage replaces the image of the server. It also works during cleanup.
func setServerImage(t *testing.T, image string) {
	t.Helper()
	_, err := cluster.Kubectl(context.WithoutCancel(t.Context()), "set", "image", "--namespace="+dnsNamespace, "deployment/coredns", "coredns="+image)
	if err != nil {
		t.Error(err)
	}
}
