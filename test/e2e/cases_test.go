//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/node"
	"github.com/clusterdns/clusterdns/test/netlab"
)

const (
	// casesServer is the cluster's only DNS server during the cases.
	casesServer = "coredns-cases"
	// notLive is a case about a server outside the cluster, and the number of such cases.
	notLive    = "TestKubernetesSecureAPI"
	liveCases  = 38
	newObjects = "../conformance/testdata/ci-fixtures-newobjects.yaml"
)

// TestCases runs the cases that the CoreDNS project runs in a live cluster, from a Pod,
// with the Corefile of each case in the cluster's DNS.
func TestCases(t *testing.T) {
	suite, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	groups, err := suite.Groups()
	if err != nil {
		t.Fatal(err)
	}
	makeCaseObjects(t)
	from := client{namespace: "test-1", name: "client", image: lab.Busybox}.start(t).network(t)
	asker := cases.Client{Dial: func(ctx context.Context, network string) (net.Conn, error) {
		return cluster.DialFrom(ctx, from, network, lab.DNS)
	}}
	image := serverImage(t)
	withoutServers(t)
	asked := 0
	for _, g := range groups {
		if g.Test != notLive {
			t.Run(g.Test, func(t *testing.T) { asked += askGroup(t, g, image, asker) })
		}
	}
	if asked != liveCases {
		t.Errorf("%d cases were asked, want %d", asked, liveCases)
	}
}

// withoutServers removes the cluster's own DNS servers until the end of the test.
func withoutServers(t *testing.T) {
	t.Helper()
	scale := func(ctx context.Context, replicas string) error {
		_, err := cluster.Kubectl(ctx, "scale", "--namespace="+dnsNamespace, "deployment/coredns", "--replicas="+replicas)
		return err
	}
	before := kubectl(t, "get", "deployment", "--namespace="+dnsNamespace, "coredns", "-o", "jsonpath={.spec.replicas}")
	if err := scale(t.Context(), "0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := scale(ctx, before); err != nil {
			t.Error(err)
		}
		if err := cluster.AwaitRollout(ctx, dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
	})
	kubectl(t, "wait", "--namespace="+dnsNamespace, "pod", "--selector=k8s-app=kube-dns", "--for=delete", "--timeout="+patience.String())
}

// askGroup runs the cases of a group and returns their number.
func askGroup(t *testing.T, g cases.Group, image string, asker cases.Client) (asked int) {
	startCasesServer(t, g, image)
	for _, network := range []string{"udp", "tcp"} {
		eventually(t, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second) // the node's tables may still lead to the previous server
			defer cancel()
			_, err := asker.Ask(ctx, network, "probe.cluster.local.", dns.TypeA)
			return err
		})
	}
	var later []cases.Case
	for _, c := range g.Cases {
		if c.Phase == cases.NewPhase {
			later = append(later, c)
			continue
		}
		askCase(t, c, asker)
		asked++
	}
	return asked + askLater(t, later, asker)
}

// askCase runs a case once. Two kinds are repeated: a case that shows which Service the
// server is an endpoint of, because the node's proxy may know the slice earlier, and a
// transfer, because it shows a checkpoint that may be a second old.
func askCase(t *testing.T, c cases.Case, asker cases.Client) {
	t.Helper()
	if c.IsTransfer() || c.Qtype == "NS" {
		eventually(t, func(ctx context.Context) error { return c.Ask(ctx, asker, "tcp") })
	}
	for _, network := range c.Networks() {
		if err := c.Ask(t.Context(), asker, network); err != nil {
			t.Errorf("%s (%s) over %s: %v", c.ID, c.Desc, network, err)
		}
	}
}

// askLater runs cases whose objects are added and removed while the server runs.
func askLater(t *testing.T, later []cases.Case, asker cases.Client) int {
	t.Helper()
	if len(later) == 0 {
		return 0
	}
	manifest, err := os.ReadFile(newObjects)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, string(manifest))
	for _, c := range later {
		eventually(t, func(ctx context.Context) error { return c.Ask(ctx, asker, "udp") })
		askCase(t, c, asker)
	}
	kubectl(t, "delete", "-f", newObjects)
	for _, c := range later {
		eventually(t, func(ctx context.Context) error { return c.AskGone(ctx, asker, "tcp") })
	}
	return len(later)
}

// startCasesServer starts a server with the group's Corefile behind the Service that Pods
// ask, until the end of the test. The suffix of its node is the one that the Corefiles
// forward. A Pod with a grace period leaves the API server when it has left the node; one
// without might still answer in place of the next.
func startCasesServer(t *testing.T, g cases.Group, image string) {
	t.Helper()
	corefile := g.Corefile
	if g.Upstream != "" {
		corefile = strings.ReplaceAll(corefile, "{{UPSTREAM}}", serveInLab(t, g.Upstream))
	}
	files, err := json.Marshal(map[string]string{"Corefile": corefile, "Zonefile": g.Zonefile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := cluster.Kubectl(ctx, "delete", "--namespace="+dnsNamespace, "pod/"+casesServer, "configmap/"+casesServer); err != nil {
			t.Error(err)
		}
	})
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: %[1]s, namespace: %[2]s}
data: %[3]s
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: %[2]s, labels: {k8s-app: kube-dns}}
spec:
  serviceAccountName: coredns
  dnsPolicy: None
  dnsConfig: {nameservers: [%[5]s], searches: [internal]}
  terminationGracePeriodSeconds: 1
  containers:
  - name: coredns
    image: %[4]s
    args: [-conf, /etc/coredns/Corefile]
    readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
  volumes: [{name: config, configMap: {name: %[1]s}}]
`, casesServer, dnsNamespace, files, image, node.Address))
	awaitReady(t, dnsNamespace, casesServer)
}

// serveInLab serves a zone file on the node until the end of the test, and returns the
// address of the server.
func serveInLab(t *testing.T, zonefile string) (address string) {
	t.Helper()
	upstream, err := cases.NewUpstream(zonefile)
	if err != nil {
		t.Fatal(err)
	}
	var listener net.Listener
	var conn net.PacketConn
	err = cluster.Within(func() (err error) {
		listener, conn, err = freeport.Listen(node.Address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	netlab.ServeOn(t, listener, conn, upstream)
	return listener.Addr().String()
}
