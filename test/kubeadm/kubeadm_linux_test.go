package kubeadm

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestC14UpgradeApply: kubeadm upgrades our image as it does stock's. It takes the image that it expects, keeps the ConfigMap as
// it is, and puts the environment of a patch into the Deployment that it writes anew.
func TestC14UpgradeApply(t *testing.T) {
	n := newNode(t)
	before := n.configMap(t).ResourceVersion
	n.setImage(t, repository+"/coredns:"+olderTag)
	n.write(t, "etc/kubernetes/patches/corednsdeployment+strategic.yaml", `
spec:
  template:
    spec:
      containers:
      - name: coredns
        env: [{name: CLUSTERDNS_SEARCH, value: names}]
`)
	out, err := n.apply(t, "--patches=/etc/kubernetes/patches")
	if err != nil || !strings.Contains(out, "SUCCESS") {
		t.Fatalf("%v\n%s", err, out)
	}
	c := n.deployment(t).Spec.Template.Spec.Containers[0]
	if want := repository + "/coredns:" + n.tag; c.Image != want {
		t.Errorf("the image is %s, want %s", c.Image, want)
	}
	if len(c.Env) != 1 || c.Env[0] != (corev1.EnvVar{Name: "CLUSTERDNS_SEARCH", Value: "names"}) {
		t.Errorf("the environment is %v", c.Env)
	}
	if after := n.configMap(t).ResourceVersion; after != before {
		t.Errorf("the ConfigMap had the version %s and has %s", before, after)
	}
}

// TestC14UpgradeApplyOfOwnCorefile: a property that kubeadm does not know stops it ahead of everything, unless the tag stays the same.
func TestC14UpgradeApplyOfOwnCorefile(t *testing.T) {
	n := newNode(t)
	cm := n.configMap(t)
	cm.Data["Corefile"] = strings.Replace(cm.Data["Corefile"], "pods insecure", "pods insecure\n       search names", 1)
	cm, err := n.Client().CoreV1().ConfigMaps(system).Update(t.Context(), cm, metav1.UpdateOptions{})
	if err != nil || !strings.Contains(cm.Data["Corefile"], "search names") {
		t.Fatal(cm, err)
	}
	n.setImage(t, repository+"/coredns:"+olderTag)
	if out, err := n.apply(t); err == nil || !strings.Contains(out, "CoreDNSUnsupportedPlugins") || !strings.Contains(out, "search") {
		t.Errorf("%v, want an error of CoreDNSUnsupportedPlugins about search\n%s", err, out)
	}
	n.setImage(t, repository+"/coredns:"+n.tag)
	if out, err := n.apply(t); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if after := n.configMap(t); after.ResourceVersion != cm.ResourceVersion {
		t.Errorf("the ConfigMap had the version %s and has %s", cm.ResourceVersion, after.ResourceVersion)
	}
}

func (n *node) configMap(t *testing.T) *corev1.ConfigMap {
	t.Helper()
	cm, err := n.Client().CoreV1().ConfigMaps(system).Get(t.Context(), "coredns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return cm
}

func (n *node) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	d, err := n.Client().AppsV1().Deployments(system).Get(t.Context(), "coredns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// setImage puts an image into the Deployment.
func (n *node) setImage(t *testing.T, image string) {
	t.Helper()
	d := n.deployment(t)
	d.Spec.Template.Spec.Containers[0].Image = image
	if _, err := n.Client().AppsV1().Deployments(system).Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
