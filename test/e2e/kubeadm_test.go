//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// The image repositories of TestKubeadm, to which kubeadm adds the name coredns and a tag.
const (
	ourRepository   = "registry.example/clusterdns"
	stockRepository = "registry.example/stock"
	olderTag        = "v1.13.1" // a release that kubeadm knows, older than its own
)

// TestKubeadm has kubeadm itself install our image in the place of stock's, upgrade it and take
// it back, while queries are asked. Only the image may change, and the ConfigMap may not.
func TestKubeadm(t *testing.T) {
	binaries, err := controlplane.Build(t.Context(), "kubeadm")
	if err != nil {
		t.Fatal(err)
	}
	k := kubeadm{binary: binaries["kubeadm"], dir: t.TempDir()}
	original := serverImage(t)
	t.Cleanup(func() { setServerImage(t, original) })
	tag := k.expectedTag(t)
	tagServers(t, original, olderTag, tag)
	k.pretendToBeItsCluster(t)
	before := configMapVersion(t)
	s := startStream(t, startClient(t, "kubeadm").network(t), steadyRate)
	s.await(t, 100)

	setServerImage(t, stockRepository+"/coredns:"+olderTag)
	awaitVersions(t, false)
	k.run(t, "init", "phase", "addon", "coredns", "--config", k.config(t, ourRepository))
	awaitImage(t, ourRepository+"/coredns:"+tag, true)

	setServerImage(t, ourRepository+"/coredns:"+olderTag)
	awaitVersions(t, true)
	k.upgrade(t, ourRepository)
	awaitImage(t, ourRepository+"/coredns:"+tag, true)

	k.upgrade(t, stockRepository)
	awaitImage(t, stockRepository+"/coredns:"+tag, false)

	s.await(t, s.count()+2000)
	s.stopWithoutLoss(t)
	if after := configMapVersion(t); after != before {
		t.Errorf("the ConfigMap had the version %s and has %s", before, after)
	}
}

// tagServers gives our image and stock's the names that kubeadm makes of their repositories.
func tagServers(t *testing.T, ours string, tags ...string) {
	t.Helper()
	stock, err := cluster.ImportStock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		for repository, image := range map[string]string{ourRepository: ours, stockRepository: stock} {
			if err := cluster.Tag(t.Context(), image, repository+"/coredns:"+tag); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func awaitImage(t *testing.T, want string, ours bool) {
	t.Helper()
	if got := serverImage(t); got != want {
		t.Fatalf("kubeadm has set the image %s, want %s", got, want)
	}
	awaitVersions(t, ours)
}

func awaitVersions(t *testing.T, ours bool) {
	t.Helper()
	awaitServer(t)
	eventually(t, func(ctx context.Context) error { return runsOurs(ctx, ours) })
}

// configMapVersion changes with any change to the ConfigMap.
func configMapVersion(t *testing.T) string {
	t.Helper()
	return kubectl(t, "get", "configmap", "--namespace="+dnsNamespace, "coredns", "-o", "jsonpath={.metadata.resourceVersion}")
}

// kubeadm is the command, and a folder for its files.
type kubeadm struct{ binary, dir string }

// config writes kubeadm's configuration. Without addresses of its own, kubeadm looks for the
// default route, which the lab has not.
func (k kubeadm) config(t *testing.T, repository string) (file string) {
	t.Helper()
	text := fmt.Sprintf(`apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {name: node-1, criSocket: "unix:///run/containerd/containerd.sock"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: %s
networking: {serviceSubnet: 10.96.0.0/12, dnsDomain: cluster.local}
dns: {imageRepository: %s}
`, k.version(t), repository)
	file = filepath.Join(k.dir, "kubeadm.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func (k kubeadm) version(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(k.output(t, "version", "-o", "short"))
}

// expectedTag returns the tag that kubeadm gives to the image of CoreDNS.
func (k kubeadm) expectedTag(t *testing.T) string {
	t.Helper()
	images := k.output(t, "config", "images", "list", "--config", k.config(t, ourRepository))
	_, after, found := strings.Cut(images, ourRepository+"/coredns:")
	tag, _, _ := strings.Cut(after, "\n")
	if !found {
		t.Fatalf("kubeadm lists no image of %s:\n%s", ourRepository, images)
	}
	return tag
}

// pretendToBeItsCluster makes what an upgrade looks for in a cluster: its configuration, and a
// Pod of the API server on each node of the control plane. In the lab, that is a process.
func (k kubeadm) pretendToBeItsCluster(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { k.removeTraces(t) })
	k.upload(t, "all", ourRepository)
	apply(t, `apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver-node-1
  namespace: kube-system
  labels: {component: kube-apiserver, tier: control-plane}
  annotations: {kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: "192.0.2.10:6443"}
spec:
  nodeName: node-1
  containers: [{name: kube-apiserver, image: "registry.k8s.io/pause:3.10.2"}]
`)
}

func (k kubeadm) removeTraces(t *testing.T) {
	t.Helper()
	roles := []string{"kubeadm:nodes-kubeadm-config", "kubeadm:kubelet-config"}
	for _, objects := range [][]string{
		{"pod", "kube-apiserver-node-1"},
		{"configmap", "kubeadm-config", "kubelet-config"},
		append([]string{"role"}, roles...),
		append([]string{"rolebinding"}, roles...),
	} {
		args := append([]string{"delete", "--namespace=" + dnsNamespace, "--ignore-not-found", "--wait=false"}, objects...)
		if _, err := cluster.Kubectl(context.WithoutCancel(t.Context()), args...); err != nil {
			t.Error(err)
		}
	}
}

func (k kubeadm) upload(t *testing.T, what, repository string) {
	t.Helper()
	k.run(t, "init", "phase", "upload-config", what, "--config", k.config(t, repository))
}

// upgrade names the repository in the ClusterConfiguration and upgrades the add-on.
func (k kubeadm) upgrade(t *testing.T, repository string) {
	t.Helper()
	k.upload(t, "kubeadm", repository)
	k.run(t, "upgrade", "apply", "phase", "addon", "coredns", k.version(t))
}

// run runs kubeadm as the administrator of the lab, on a host with the node's name, by which
// kubeadm finds the node.
func (k kubeadm) run(t *testing.T, args ...string) {
	t.Helper()
	k.output(t, append(args, "--kubeconfig="+cluster.Kubeconfig())...)
}

func (k kubeadm) output(t *testing.T, args ...string) string {
	t.Helper()
	args = append([]string{"--uts", "sh", "-c", `hostname node-1 && exec "$0" "$@"`, k.binary}, args...)
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	var out []byte
	err := cluster.Within(func() (err error) {
		out, err = cmd.Output()
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, stderr.String())
	}
	return string(out)
}
