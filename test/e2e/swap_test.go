//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestSwap replaces our server by stock CoreDNS and back, each time by changing nothing but
// the image, while queries are asked.
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
		eventually(t, func(ctx context.Context) error { return runsOurs(ctx, image == ours) })
		s.await(t, s.count()+2000)
	}
	s.stopWithoutLoss(t)
}

// runsOurs returns nil if every DNS Pod, terminating ones included, reports a version of
// ours, or of stock.
func runsOurs(ctx context.Context, ours bool) error {
	log, err := cluster.Kubectl(ctx, "logs", "--namespace="+dnsNamespace, "--selector=k8s-app=kube-dns", "--tail=-1")
	if err != nil {
		return err
	}
	versions := versionLine.FindAllString(log, -1)
	for _, version := range versions {
		if strings.Contains(version, "clusterdns") != ours {
			return fmt.Errorf("versions %q, want all to be of ours: %t", versions, ours)
		}
	}
	if len(versions) != 2 {
		return fmt.Errorf("versions %q, want two", versions)
	}
	return nil
}

var versionLine = regexp.MustCompile(`(?m)^CoreDNS-.*$`)

func serverImage(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "deployment", "--namespace="+dnsNamespace, "coredns",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
}
