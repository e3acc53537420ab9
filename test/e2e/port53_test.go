//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/lab"
)

// privilegedPorts makes port 53 privileged, as it is if the container runtime does not set
// net.ipv4.ip_unprivileged_port_start to 0.
const privilegedPorts = `sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "1024"}]`

// portCase is a way to run the image. Unless a field says otherwise, the rights are those
// of kubeadm.
type portCase struct {
	name      string
	pod       string // security context of the Pod
	container string // security context of the container
	port      int
	refused   string // error of kubelet or of the server; empty if the server serves
}

const kubeadmRights = `allowPrivilegeEscalation: false, capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}, readOnlyRootFilesystem: true`

var portCases = []portCase{
	{name: "kubeadm", container: kubeadmRights, port: 53},
	{name: "kubeadm-privileged-port", pod: privilegedPorts, container: kubeadmRights, port: 53},
	{name: "nonroot-required", pod: privilegedPorts + ", runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}", container: kubeadmRights, port: 53},
	{name: "no-rights-said", pod: privilegedPorts, port: 53},
	{name: "root", pod: privilegedPorts + ", runAsUser: 0", container: kubeadmRights, port: 53},
	{name: "other-user", pod: privilegedPorts + ", runAsUser: 1000", container: kubeadmRights, port: 53},
	{
		name: "no-capability", container: "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}", port: 5353,
		refused: "operation not permitted",
	},
}

// TestPort53 covers the combinations of the image's user, its file capability and
// allowPrivilegeEscalation.
func TestPort53(t *testing.T) {
	namespace := newNamespace(t, "port53")
	image := serverImage(t)
	for _, tc := range portCases {
		t.Run(tc.name, func(t *testing.T) {
			apply(t, tc.manifest(namespace, image))
			if tc.refused != "" {
				eventually(t, func(ctx context.Context) error { return refusal(ctx, namespace, tc.name, tc.refused) })
				return
			}
			awaitReady(t, namespace, tc.name)
			addr := kubectl(t, "get", "pod", "--namespace", namespace, tc.name, "-o", "jsonpath={.status.podIP}")
			for _, network := range []string{"udp", "tcp"} {
				eventually(t, func(ctx context.Context) error { return answers(ctx, network, fmt.Sprintf("%s:%d", addr, tc.port)) })
			}
		})
	}
}

// TestPort53NeedsARight runs the cases above without the file capability: another program
// with kubeadm's rights and without root may not bind.
func TestPort53NeedsARight(t *testing.T) {
	namespace := newNamespace(t, "port53-control")
	apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: nc, namespace: %s}, spec: {securityContext: {%s, runAsUser: 65532}, restartPolicy: Never,
  containers: [{name: nc, image: %q, command: [nc, -l, -p, "53"], securityContext: {%s}}]}}`, namespace, privilegedPorts, lab.Busybox, kubeadmRights))
	eventually(t, func(ctx context.Context) error { return refusal(ctx, namespace, "nc", "Permission denied") })
}

func (tc portCase) manifest(namespace, image string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: %[1]s, namespace: %[2]s}
data:
  Corefile: |
    .:%[3]d {
        ready
        whoami
    }
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  securityContext: {%[4]s}
  restartPolicy: Never
  containers:
  - name: coredns
    image: %[6]s
    args: [-conf, /etc/coredns/Corefile]
    securityContext: {%[5]s}
    readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
    volumeMounts: [{name: config, mountPath: /etc/coredns, readOnly: true}]
  volumes: [{name: config, configMap: {name: %[1]s}}]
`, tc.name, namespace, tc.port, tc.pod, tc.container, image)
}

// refusal returns nil if the container has failed for the expected reason.
func refusal(ctx context.Context, namespace, pod, why string) error {
	status, err := cluster.Kubectl(ctx, "get", "pod", "--namespace", namespace, pod, "-o", "jsonpath={.status}")
	if err != nil {
		return err
	}
	log, err := cluster.Kubectl(ctx, "logs", "--namespace", namespace, pod)
	if strings.Contains(status+log, why) {
		return nil
	}
	return fmt.Errorf("status %s, log %q (%w), want %q", status, log, err, why)
}

// answers returns nil if the server answers a query from the node.
func answers(ctx context.Context, network, server string) error {
	connection, err := cluster.Dial(ctx, network, server)
	if err != nil {
		return err
	}
	defer connection.Close()
	question := new(dns.Msg).SetQuestion("example.org.", dns.TypeA)
	_, _, err = new(dns.Client).ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: connection})
	return err
}
