//go:build differential

package differential

import (
	"fmt"
	"testing"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// TestDifferential compares stock and ours under one Corefile after the other.
func TestDifferential(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server and stock CoreDNS when it runs for the first time")
	}
	reasons, _ := newReasons(readEntries(t), matchers) // see TestMatchersHaveEntries
	cluster := startCluster(t, generate(*seed))
	env := netlab.MountAccount(t, cluster, "kube-system", "coredns")
	netlab.ServeDNS(t, fmt.Sprintf("%s:53", upstreamAddr), newUpstream(t))
	w, err := readWorld(t.Context(), cluster.Client())
	if err != nil {
		t.Fatal(err)
	}
	to := newTally(reasons)
	for i := range corefiles {
		c := &corefiles[i]
		t.Run(c.name, func(t *testing.T) {
			p := startPair(t, c, env)
			questions := newQuiz(c, uint64(i+1), c.names(w)).questions(*count / (len(corefiles) + 1))
			p.compare(t, newScene(c, w), questions, to)
		})
	}
	t.Run(changing.name, func(t *testing.T) { testChanging(t, cluster, env, w, to) })
	to.report(t)
	to.judge(t)
}
