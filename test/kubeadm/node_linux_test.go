package kubeadm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const (
	nodeName   = "node-1"
	system     = "kube-system"
	repository = "registry.example/clusterdns"
	olderTag   = "v1.13.1" // a release that kubeadm knows, older than its own
)

// node is a node of the control plane as kubeadm sees it: a folder that it takes for the root, and objects.
type node struct {
	*controlplane.Cluster
	kubeadm string
	root    string
	version string // of kubeadm
	tag     string // that kubeadm gives to the image of CoreDNS
}

// newNode makes the cluster, as kubeadm init would leave it, with the add-on for DNS.
func newNode(t *testing.T) *node {
	t.Helper()
	binaries, err := controlplane.Build(t.Context(), "kubeadm")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Cluster: controlplane.StartTest(t, controlplane.Options{}), kubeadm: binaries["kubeadm"], root: t.TempDir()}
	n.write(t, "tmp/.keep", "")
	n.version = strings.TrimSpace(n.run(t, "version", "-o", "short"))
	n.write(t, "etc/kubeadm.yaml", fmt.Sprintf(`apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: %s}
nodeRegistration: {name: %s, criSocket: "unix:///run/containerd/containerd.sock"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: %s
etcd: {external: {endpoints: ["http://127.0.0.1:2379"]}}
dns: {imageRepository: %s}
`, nodeAddr, nodeName, n.version, repository))
	_, after, _ := strings.Cut(n.run(t, "config", "images", "list", "--config=/etc/kubeadm.yaml"), repository+"/coredns:")
	n.tag, _, _ = strings.Cut(after, "\n")
	for _, phase := range []string{"certs all", "kubeconfig all", "control-plane all"} {
		n.init(t, phase)
	}
	n.writeKubelet(t)
	n.writeAdmin(t)
	n.makeObjects(t)
	n.init(t, "upload-config all", "--kubeconfig=/etc/user.conf")
	n.init(t, "addon coredns", "--kubeconfig=/etc/user.conf")
	return n
}

func (n *node) init(t *testing.T, phase string, flags ...string) {
	t.Helper()
	args := append([]string{"init", "phase"}, strings.Fields(phase)...)
	n.run(t, append(append(args, "--config=/etc/kubeadm.yaml"), flags...)...)
}

// writeKubelet writes what kubelet's own start reads.
func (n *node) writeKubelet(t *testing.T) {
	t.Helper()
	const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
	n.write(t, "var/lib/kubelet/config.yaml", head+"clusterDNS: [10.96.0.10]\nclusterDomain: cluster.local\n")
	n.write(t, "var/lib/kubelet/instance-config.yaml", head+"containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n")
	n.write(t, "var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"\"\n")
}

// writeAdmin writes the kubeconfig of the cluster's administrator. Those that kubeadm has made are for an API server of its own.
func (n *node) writeAdmin(t *testing.T) {
	t.Helper()
	path, err := n.Kubeconfig(n.Admin())
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Clusters { // files are not below the root
		if c.CertificateAuthorityData, err = os.ReadFile(c.CertificateAuthority); err != nil {
			t.Fatal(err)
		}
		c.CertificateAuthority = ""
	}
	if err := clientcmd.WriteToFile(*config, filepath.Join(n.root, "etc/user.conf")); err != nil {
		t.Fatal(err)
	}
}

// makeObjects makes the Node, which takes no Pods, and the Pods that kubelet mirrors its static ones with.
func (n *node) makeObjects(t *testing.T) {
	t.Helper()
	made := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{"node-role.kubernetes.io/control-plane": "", corev1.LabelHostname: nodeName}}}
	made.Spec.Unschedulable = true
	made, err := n.Client().CoreV1().Nodes().Create(t.Context(), made, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	made.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	made.Status.NodeInfo.KubeletVersion = n.version
	if _, err := n.Client().CoreV1().Nodes().UpdateStatus(t.Context(), made, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(n.root, "etc/kubernetes/manifests/*.yaml"))
	if err != nil || len(manifests) != 3 {
		t.Fatalf("%q, %v: expected three manifests", manifests, err)
	}
	for _, path := range manifests {
		n.mirror(t, path)
	}
}

func (n *node) mirror(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var pod corev1.Pod
	if err := yaml.Unmarshal(text, &pod); err != nil {
		t.Fatal(err)
	}
	pod.Name += "-" + nodeName
	pod.Spec.NodeName = nodeName
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, "kubernetes.io/config.hash", "1")
	if _, err := n.Client().CoreV1().Pods(system).Create(t.Context(), &pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// write writes a file below the root.
func (n *node) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(n.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs kubeadm, and ends the test if it fails.
func (n *node) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := n.try(t, args...)
	if err != nil {
		t.Fatalf("kubeadm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try runs kubeadm, and returns all that it prints.
func (n *node) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), n.kubeadm, append(args, "--rootfs="+n.root)...)
	cmd.Env = []string{"PATH=/bin"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// apply upgrades the cluster to kubeadm's own version, without the checks that ask a container runtime or kubelet.
func (n *node) apply(t *testing.T, flags ...string) (string, error) {
	t.Helper()
	return n.try(t, append([]string{
		"upgrade", "apply", n.version, "--yes", "--kubeconfig=/etc/user.conf",
		"--ignore-preflight-errors=SystemVerification,ContainerRuntimeVersion,ImagePull",
	}, flags...)...)
}
