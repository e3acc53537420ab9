package refcluster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pod returns the Pod of an endpoint, about as large as real ones: most of it is of no use
// to a DNS server.
func (s Shape) pod(endpoint int) *corev1.Pod {
	service := s.ServiceOf(endpoint)
	name := s.ServiceName(service)
	labels := s.labels(name)
	labels["pod-template-hash"] = s.letters("replicaset", service, 10)
	labels["topology.kubernetes.io/region"] = "region-1"
	pod := NewPod(s.NamespaceOfService(service), s.PodName(endpoint), EndpointAddress(endpoint).String())
	pod.Labels = labels
	pod.Annotations = map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9090"}
	pod.Spec.NodeName = nodeName(endpoint)
	return pod
}

// NewPod makes a running Pod.
func NewPod(namespace, name, address string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PodSpec{
			NodeName:      nodeName(0),
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers:    []corev1.Container{container()},
			Tolerations: []corev1.Toleration{
				{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
				{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute},
			},
		},
		Status: podStatus(address),
	}
}

func container() corev1.Container {
	return corev1.Container{
		Name:  "main",
		Image: "registry.example/team/service@sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
		Env:   []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}, {Name: "LISTEN", Value: ":8080"}, {Name: "REGION", Value: "region-1"}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
	}
}

func podStatus(address string) corev1.PodStatus {
	status := corev1.PodStatus{
		Phase:  corev1.PodRunning,
		HostIP: "192.0.2.1", HostIPs: []corev1.HostIP{{IP: "192.0.2.1"}},
		PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", Ready: true, Image: container().Image, ImageID: container().Image,
			ContainerID: "containerd://3f1c2a9de0c14f0e8d61c2c9a1d86b7f6f0e1a2b3c4d5e6f708192a3b4c5d6e7",
		}},
	}
	for _, kind := range []corev1.PodConditionType{
		corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled,
	} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue})
	}
	return status
}
