package deploy

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const (
	nodeDir  = "node"
	nodeName = "coredns-node"
)

// nodePods are the labels of the DaemonSet's Pods: those that the Service selects, and one that the
// Deployment's Pods do not have.
var nodePods = map[string]string{"k8s-app": "kube-dns", "clusterdns.example/on": "node"}

// nodeDaemonSet is kubeadm's Deployment as a DaemonSet.
func nodeDaemonSet() *appsv1.DaemonSet {
	template := deployment().Spec.Template
	template.Labels = nodePods
	pod := &template.Spec
	pod.Affinity = nil
	pod.PriorityClassName = "system-node-critical"
	pod.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	pod.Containers[0].Resources.Requests = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("25m"), corev1.ResourceMemory: resource.MustParse("40Mi"),
	}
	pod.Containers[0].VolumeMounts = append(pod.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "state", MountPath: "/var/lib/clusterdns"})
	pod.Containers[0].ReadinessProbe.PeriodSeconds, pod.Containers[0].ReadinessProbe.TimeoutSeconds = 2, 2
	pod.Volumes[0].ConfigMap.Name = nodeName
	limit := resource.MustParse("100Mi")
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "state", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}})
	meta := named(nodeName)
	meta.Labels = kubeDNS
	return &appsv1.DaemonSet{
		TypeMeta:   typeMeta("apps/v1", "DaemonSet"),
		ObjectMeta: meta,
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: nodePods},
			Template: template,
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType, RollingUpdate: &appsv1.RollingUpdateDaemonSet{
				MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0)),
			}},
		},
	}
}

// nodeCorefile is kubeadm's with two properties more.
var nodeCorefile = strings.Replace(kubeadmCorefile, "       ttl 30\n", "       ttl 30\n       endpoints headless\n       state /var/lib/clusterdns/cluster\n", 1)

func expectedNode() map[key]runtime.Object {
	config := configMap()
	config.Name, config.Data = nodeName, map[string]string{"Corefile": nodeCorefile}
	preferring := service()
	preferring.Spec.TrafficDistribution = new(corev1.ServiceTrafficDistributionPreferSameNode)
	objs := map[key]runtime.Object{}
	for _, obj := range []runtime.Object{serviceAccount(), clusterRole(), clusterRoleBinding(), config, nodeDaemonSet(), preferring} {
		objs[keyOf(obj)] = obj
	}
	return objs
}

// The overlay leaves kubeadm's Deployment and ConfigMap alone, and differs from the base in nothing
// that it need not.
func TestNodeIsTheBaseOnEveryNode(t *testing.T) {
	if diff := cmp.Diff(expectedNode(), decode(t, build(t, nodeDir))); diff != "" {
		t.Errorf("wanted (-), ours (+):\n%s", diff)
	}
}

// The Service selects the DaemonSet's Pods, and neither workload selects the Pods of the other by
// all labels.
func TestNodePodsAreSelected(t *testing.T) {
	selects := func(selector, labels map[string]string) bool {
		for key, value := range selector {
			if labels[key] != value {
				return false
			}
		}
		return true
	}
	if !selects(service().Spec.Selector, nodePods) {
		t.Error("the Service does not select the Pods of the DaemonSet")
	}
	if of := deployment().Spec.Template.Labels; selects(nodePods, of) || maps.Equal(of, nodePods) {
		t.Errorf("the DaemonSet selects the Pods of the Deployment: %v", of)
	}
}

// testNode applies the overlay after the base, as in a cluster that kubeadm has made.
func testNode(t *testing.T, c *controlplane.Cluster) {
	apply(t, c, build(t, nodeDir))
	found, err := c.Client().CoreV1().Services(namespace).Get(t.Context(), "kube-dns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Spec.TrafficDistribution; got == nil || *got != corev1.ServiceTrafficDistributionPreferSameNode {
		t.Errorf("the Service prefers %v", got)
	}
	if _, err := c.Client().AppsV1().Deployments(namespace).Get(t.Context(), "coredns", metav1.GetOptions{}); err != nil {
		t.Errorf("the Deployment: %v", err)
	}
}
