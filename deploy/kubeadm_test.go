package deploy

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// This file has the add-on of kubeadm 1.36 (cmd/kubeadm/app/phases/addons/dns/manifests.go)
// as Go values, written from its fields and not from our YAML. Two things are ours: the
// image and the disruption budget.

const (
	namespace = "kube-system"
	roleName  = "system:coredns"
	rbacGroup = "rbac.authorization.k8s.io"
	baseImage = "registry.example/clusterdns/coredns:unset"
)

var kubeDNS = map[string]string{"k8s-app": "kube-dns"}

// kubeadmCorefile is kubeadm's default for the cluster domain cluster.local. Its
// indentation of four and seven spaces is part of the text.
var kubeadmCorefile = strings.Join([]string{
	".:53 {",
	"    errors",
	"    health {",
	"       lameduck 5s",
	"    }",
	"    ready",
	"    kubernetes cluster.local in-addr.arpa ip6.arpa {",
	"       pods insecure",
	"       fallthrough in-addr.arpa ip6.arpa",
	"       ttl 30",
	"    }",
	"    prometheus :9153",
	"    forward . /etc/resolv.conf {",
	"       max_concurrent 1000",
	"    }",
	"    cache 30 {",
	"       disable success cluster.local",
	"       disable denial cluster.local",
	"    }",
	"    loop",
	"    reload",
	"    loadbalance",
	"}",
	"",
}, "\n")

func expectedBase() map[key]runtime.Object {
	objs := map[key]runtime.Object{}
	for _, obj := range []runtime.Object{
		serviceAccount(), clusterRole(), clusterRoleBinding(), configMap(), deployment(), service(), disruptionBudget(),
	} {
		objs[keyOf(obj)] = obj
	}
	return objs
}

func typeMeta(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func serviceAccount() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{TypeMeta: typeMeta("v1", "ServiceAccount"), ObjectMeta: named("coredns")}
}

func clusterRole() *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{
		TypeMeta:   typeMeta(rbacGroup+"/v1", "ClusterRole"),
		ObjectMeta: metav1.ObjectMeta{Name: roleName},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{""},
			Resources: []string{"endpoints", "services", "pods", "namespaces"},
			Verbs:     []string{"list", "watch"},
		}, {
			APIGroups: []string{"discovery.k8s.io"},
			Resources: []string{"endpointslices"},
			Verbs:     []string{"list", "watch"},
		}},
	}
}

func clusterRoleBinding() *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   typeMeta(rbacGroup+"/v1", "ClusterRoleBinding"),
		ObjectMeta: metav1.ObjectMeta{Name: roleName},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacGroup, Kind: "ClusterRole", Name: roleName},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "coredns", Namespace: namespace}},
	}
}

func configMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   typeMeta("v1", "ConfigMap"),
		ObjectMeta: named("coredns"),
		Data:       map[string]string{"Corefile": kubeadmCorefile},
	}
}

func service() *corev1.Service {
	meta := named("kube-dns")
	meta.Labels = map[string]string{
		"k8s-app":                       "kube-dns",
		"kubernetes.io/cluster-service": "true",
		"kubernetes.io/name":            "CoreDNS",
	}
	meta.Annotations = map[string]string{"prometheus.io/port": "9153", "prometheus.io/scrape": "true"}
	return &corev1.Service{
		TypeMeta:   typeMeta("v1", "Service"),
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.10", Selector: kubeDNS, Ports: []corev1.ServicePort{
			{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP, TargetPort: intstr.FromInt32(53)},
			{Name: "dns-tcp", Port: 53, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(53)},
			{Name: "metrics", Port: 9153, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(9153)},
		}},
	}
}

func disruptionBudget() *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   typeMeta("policy/v1", "PodDisruptionBudget"),
		ObjectMeta: named("coredns"),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             new(intstr.FromInt32(1)),
			Selector:                   &metav1.LabelSelector{MatchLabels: kubeDNS},
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}

func deployment() *appsv1.Deployment {
	meta := named("coredns")
	meta.Labels = kubeDNS
	return &appsv1.Deployment{
		TypeMeta:   typeMeta("apps/v1", "Deployment"),
		ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)),
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: new(intstr.FromInt32(1))},
			},
			Selector: &metav1.LabelSelector{MatchLabels: kubeDNS},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: kubeDNS}, Spec: podSpec()},
		},
	}
}

func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		PriorityClassName:  "system-cluster-critical",
		ServiceAccountName: "coredns",
		Affinity:           spreadOverNodes(),
		Tolerations: []corev1.Toleration{
			{Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists},
			{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule},
		},
		NodeSelector: map[string]string{"kubernetes.io/os": "linux"},
		DNSPolicy:    corev1.DNSDefault,
		Containers:   []corev1.Container{container()},
		Volumes: []corev1.Volume{{Name: "config-volume", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "coredns"},
				Items:                []corev1.KeyToPath{{Key: "Corefile", Path: "Corefile"}},
			},
		}}},
	}
}

func spreadOverNodes() *corev1.Affinity {
	term := corev1.PodAffinityTerm{
		TopologyKey: "kubernetes.io/hostname",
		LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "k8s-app", Operator: metav1.LabelSelectorOpIn, Values: []string{"kube-dns"}},
		}},
	}
	preferred := []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term}}
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: preferred,
	}}
}

func container() corev1.Container {
	return corev1.Container{
		Name:            "coredns",
		Image:           baseImage,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Args:            []string{"-conf", "/etc/coredns/Corefile"},
		Resources: corev1.ResourceRequirements{
			Limits: corev1.ResourceList{"memory": resource.MustParse("170Mi")},
			Requests: corev1.ResourceList{
				"cpu":    resource.MustParse("100m"),
				"memory": resource.MustParse("70Mi"),
			},
		},
		VolumeMounts:    []corev1.VolumeMount{{Name: "config-volume", MountPath: "/etc/coredns", ReadOnly: true}},
		Ports:           containerPorts(),
		LivenessProbe:   livenessProbe(),
		ReadinessProbe:  &corev1.Probe{ProbeHandler: httpGet("/ready", "readiness-probe")},
		SecurityContext: securityContext(),
	}
}

func containerPorts() []corev1.ContainerPort {
	return []corev1.ContainerPort{
		{Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP},
		{Name: "dns-tcp", ContainerPort: 53, Protocol: corev1.ProtocolTCP},
		{Name: "metrics", ContainerPort: 9153, Protocol: corev1.ProtocolTCP},
		{Name: "liveness-probe", ContainerPort: 8080, Protocol: corev1.ProtocolTCP},
		{Name: "readiness-probe", ContainerPort: 8181, Protocol: corev1.ProtocolTCP},
	}
}

func livenessProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:        httpGet("/health", "liveness-probe"),
		InitialDelaySeconds: 60,
		TimeoutSeconds:      5,
		SuccessThreshold:    1,
		FailureThreshold:    5,
	}
}

func httpGet(path, port string) corev1.ProbeHandler {
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
		Path: path, Port: intstr.FromString(port), Scheme: corev1.URISchemeHTTP,
	}}
}

func securityContext() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		Capabilities: &corev1.Capabilities{
			Add:  []corev1.Capability{"NET_BIND_SERVICE"},
			Drop: []corev1.Capability{"ALL"},
		},
		ReadOnlyRootFilesystem: new(true),
	}
}
