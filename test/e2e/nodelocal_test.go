//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/corefile"
	"github.com/clusterdns/clusterdns/test/lab"
)

const (
	// linkLocal is the address at which NodeLocal DNSCache answers beside that of the Service.
	linkLocal = "169.254.20.10"
	// localDevice has both addresses.
	localDevice = "nodelocaldns"
	// localSelector selects its Pods.
	localSelector = "k8s-app=node-local-dns"
)

// installStandIn installs a stand-in for NodeLocal DNSCache on each node: stock CoreDNS with
// its Corefile, in the network of the node, and the device and the rules that its own
// program would set. The server behind it is stock CoreDNS too.
func installStandIn(t *testing.T) {
	t.Helper()
	stock, err := cluster.ImportStock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := serverImage(t)
	t.Cleanup(func() {
		setServerImage(t, ours)
		if err := cluster.AwaitRollout(context.WithoutCancel(t.Context()), dnsNamespace, "deployment/coredns"); err != nil {
			t.Error(err)
		}
	})
	setServerImage(t, stock)
	awaitServer(t)
	apply(t, `
apiVersion: v1
kind: Service
metadata: {name: kube-dns-upstream, namespace: kube-system}
spec:
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
`)
	t.Cleanup(func() { removeStandIn(t) })
	upstream := addresses(t, "service", dnsNamespace, "kube-dns-upstream", ".spec.clusterIP")[0]
	for _, n := range cluster.Nodes() {
		onDevice(t, n, true)
	}
	apply(t, standInManifest(stock, corefile.NodeLocal{Cluster: upstream}.String()))
	if err := cluster.AwaitRollout(t.Context(), dnsNamespace, "daemonset/node-local-dns"); err != nil {
		t.Fatal(err)
	}
}

func standInManifest(image, text string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: node-local-dns, namespace: kube-system}
data: {Corefile: %q}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  updateStrategy: {rollingUpdate: {maxUnavailable: 10%%}}
  selector: {matchLabels: {k8s-app: node-local-dns}}
  template:
    metadata: {labels: {k8s-app: node-local-dns}}
    spec:
      priorityClassName: system-node-critical
      hostNetwork: true
      dnsPolicy: Default
      tolerations: [{operator: Exists}]
      containers:
      - name: node-cache
        image: %s
        args: [-conf, /etc/coredns/Corefile]
        securityContext: {runAsUser: 0}
        livenessProbe: {httpGet: {host: %s, path: /health, port: 8080}, initialDelaySeconds: 60, timeoutSeconds: 5}
        volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
      volumes: [{name: config, configMap: {name: node-local-dns}}]
`, text, image, linkLocal)
}

func removeStandIn(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := cluster.Kubectl(ctx, "delete", "--namespace="+dnsNamespace, "daemonset/node-local-dns", "configmap/node-local-dns",
		"service/kube-dns-upstream", "--ignore-not-found"); err != nil {
		t.Error(err)
	}
	for _, n := range cluster.Nodes() {
		onDevice(t, n, false)
	}
}

// onDevice makes or removes the device with the addresses and the rules on a node. The
// kernel may have no dummy devices, so one end of a pair stands in.
func onDevice(t *testing.T, n *lab.Node, there bool) {
	t.Helper()
	rule := "-A"
	if there {
		nodeRun(t, n, "ip link add "+localDevice+" type veth peer name "+localDevice+"-e")
		for _, addr := range []string{linkLocal, "10.96.0.10"} {
			nodeRun(t, n, "ip addr add "+addr+"/32 dev "+localDevice)
		}
		nodeRun(t, n, "ip link set "+localDevice+" up")
		nodeRun(t, n, "ip link set "+localDevice+"-e up")
	} else {
		rule = "-D"
		nodeRun(t, n, "ip link del "+localDevice)
	}
	for _, addr := range []string{linkLocal, "10.96.0.10"} {
		for _, protocol := range []string{"udp", "tcp"} {
			to, from := fmt.Sprintf("-d %s -p %s --dport 53", addr, protocol), fmt.Sprintf("-s %s -p %s --sport 53", addr, protocol)
			nodeRun(t, n, "iptables -t raw "+rule+" PREROUTING "+to+" -j NOTRACK")
			nodeRun(t, n, "iptables -t raw "+rule+" OUTPUT "+to+" -j NOTRACK")
			nodeRun(t, n, "iptables -t raw "+rule+" OUTPUT "+from+" -j NOTRACK")
			nodeRun(t, n, "iptables "+rule+" INPUT "+to+" -j ACCEPT")
			nodeRun(t, n, "iptables "+rule+" OUTPUT "+from+" -j ACCEPT")
		}
	}
}

// nodeRun runs a command in the network of a node.
func nodeRun(t *testing.T, n *lab.Node, command string) {
	t.Helper()
	words := strings.Fields(command)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var out []byte
	err := n.Within(func() (err error) {
		out, err = cmd.CombinedOutput()
		return err
	})
	if err != nil {
		t.Errorf("%s on %s: %v\n%s", command, n.Name, err, out)
	}
}
