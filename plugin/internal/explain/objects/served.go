package objects

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// ServiceOf returns what a server knows of a Service: what DNS needs.
func ServiceOf(s *cluster.Service) *corev1.Service {
	made := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}}
	switch s.Kind {
	case cluster.ExternalName:
		made.Spec.Type, made.Spec.ExternalName = corev1.ServiceTypeExternalName, strings.TrimSuffix(s.Target, ".")
	case cluster.Headless:
		made.Spec.ClusterIP = corev1.ClusterIPNone
	case cluster.ClusterIP:
		for _, a := range s.ClusterIPs {
			made.Spec.ClusterIPs = append(made.Spec.ClusterIPs, a.String())
		}
		made.Spec.ClusterIP = strings.Join(made.Spec.ClusterIPs, " ")
	}
	for _, p := range s.Ports {
		made.Spec.Ports = append(made.Spec.Ports, corev1.ServicePort{Name: p.Name, Port: int32(p.Number), Protocol: corev1.Protocol(strings.ToUpper(p.Protocol))})
	}
	return made
}
