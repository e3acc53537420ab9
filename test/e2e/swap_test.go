//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// TestSwap puts stock CoreDNS in the place of ours and ours back, each time by
// nothing but the image, while queries are asked.
func TestSwap(t *testing.T) {
	stock, err := cluster.ImportStock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := serverImage(t)
	t.Cleanup(func() { setServerImage(t, ours) })
	s := startStream(t, startClient(t, "swap").network(t), steadyRate)
	s.await(t, 100)
	for _, image := range []string{stock, ours} {
		setServerImage(t, image)
		awaitServer(t)
		log := kubectl(t, "logs", "--namespace="+dnsNamespace, "deployment/coredns")
		if strings.Contains(log, "clusterdns") != (image == ours) {
			t.Errorf("with the image %s the log is\n%s", image, log)
		}
		s.await(t, s.count()+5000) // until after the old Pods have ended
	}
	s.stopWithoutLoss(t)
}

func serverImage(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "deployment", "--namespace="+dnsNamespace, "coredns",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
}
