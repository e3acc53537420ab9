//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"
)

// outage is how long the API server is away.
const outage = time.Minute

// TestAPIServerDown takes the API server away for a minute: known names are answered all
// the time, and new ones after its return.
func TestAPIServerDown(t *testing.T) {
	c := startClient(t, "api-down")
	s := startStream(t, c.network(t), steadyRate)
	s.await(t, 100)
	restart := stopPart(t, "kube-apiserver")
	s.await(t, s.count()+int(outage.Seconds())*steadyRate)
	restart()
	addr := newService(t, c.namespace, "after")
	c.eventuallyPrints(t, []string{addr}, "dig", "+search", "+short", "after")
	s.stopWithoutLoss(t)
}

// TestKubeletRestart restarts kubelet, as an upgrade of the node does: the containers and
// their answers continue.
func TestKubeletRestart(t *testing.T) {
	s := startStream(t, startClient(t, "kubelet").network(t), steadyRate)
	s.await(t, 100)
	before := serverStarts(t)
	stopPart(t, "kubelet")()
	s.await(t, s.count()+5000)
	s.stopWithoutLoss(t)
	if after := serverStarts(t); after != before {
		t.Errorf("DNS containers started at %q, before at %q", after, before)
	}
}

// TestProxyRestart restarts kube-proxy, which takes over the existing tables.
func TestProxyRestart(t *testing.T) {
	s := startStream(t, startClient(t, "proxy").network(t), steadyRate)
	s.await(t, 100)
	stopPart(t, "kube-proxy")()
	s.await(t, s.count()+5000)
	s.stopWithoutLoss(t)
}

// stopPart stops a part of the node and returns a function that starts it again. The end of
// the test calls it too.
func stopPart(t *testing.T, part string) (start func()) {
	t.Helper()
	if err := cluster.Control().Stop(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	started := false
	start = func() {
		if started {
			return
		}
		started = true
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := cluster.Control().Start(ctx, part); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(start)
	return start
}

func serverStarts(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "pods", "--namespace="+dnsNamespace, "--selector=k8s-app=kube-dns",
		"-o", "jsonpath={.items[*].status.containerStatuses[*].state.running.startedAt}")
}
