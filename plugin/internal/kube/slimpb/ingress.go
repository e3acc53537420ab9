package slimpb

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// LabelIgnore is the label of an object whose author wants it to have no names in k8s_gateway.
const LabelIgnore = "k8s-gateway.dns/ignore"

// LabelGateway is the label of a Service that was made for a Gateway, with the Gateway's name.
const LabelGateway = "gateway.networking.k8s.io/gateway-name"

// AnnotationIngressClass is the class of an Ingress from before its field ingressClassName.
const AnnotationIngressClass = "kubernetes.io/ingress.class"

// AnnotationResolveEndpoints asks for the addresses of a Service's Pods in the place of those of its
// load balancer.
const AnnotationResolveEndpoints = "k8s-gateway.dns/resolve-endpoints"

// HostnameAnnotations are the annotations with the names of a Service, the first one first.
var HostnameAnnotations = []string{"coredns.io/hostname", "external-dns.alpha.kubernetes.io/hostname"}

// ignoreLabel keeps the label that takes an object's names away.
var ignoreLabel = oneOf(LabelIgnore)

// serviceLabels keeps the labels of Services that k8s_gateway reads.
var serviceLabels = oneOf(LabelIgnore, LabelGateway)

// Ingress decodes an Ingress: its class, its hosts and its load balancer.
func Ingress(raw []byte) (runtime.Object, error) {
	in := new(networkingv1.Ingress)
	return in, eachField(raw, func(f wireField) (err error) {
		switch f.number {
		case 1:
			err = objectMeta(f.bytes, &in.ObjectMeta, ignoreLabel)
		case 2:
			err = decodeIngressSpec(f.bytes, &in.Spec)
		case 3:
			err = decodeIngressStatus(f.bytes, &in.Status)
		}
		return err
	})
}

func decodeIngressSpec(message []byte, spec *networkingv1.IngressSpec) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 3:
			var rule networkingv1.IngressRule
			err := eachField(f.bytes, func(f wireField) error {
				if f.number == 1 {
					rule.Host = string(f.bytes)
				}
				return nil
			})
			spec.Rules = append(spec.Rules, rule)
			return err
		case 4:
			class := string(f.bytes)
			spec.IngressClassName = &class
		}
		return nil
	})
}

func decodeIngressStatus(message []byte, status *networkingv1.IngressStatus) error {
	return eachLoadBalancer(message, func(lb corev1.LoadBalancerIngress) {
		status.LoadBalancer.Ingress = append(status.LoadBalancer.Ingress, networkingv1.IngressLoadBalancerIngress{IP: lb.IP, Hostname: lb.Hostname})
	})
}
