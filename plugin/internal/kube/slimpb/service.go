package slimpb

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Namespace decodes a Namespace.
func Namespace(raw []byte) (runtime.Object, error) {
	ns := new(corev1.Namespace)
	return ns, eachField(raw, func(f wireField) (err error) {
		if f.number == 1 {
			err = objectMeta(f.bytes, &ns.ObjectMeta, all)
		}
		return err
	})
}

// Service decodes a Service, with the labels alone that k8s_gateway reads of each.
func Service(raw []byte) (runtime.Object, error) { return service(raw, serviceLabels) }

// ServiceWithLabels decodes a Service with all labels.
func ServiceWithLabels(raw []byte) (runtime.Object, error) { return service(raw, all) }

func service(raw []byte, labels wanted) (runtime.Object, error) {
	s := new(corev1.Service)
	return s, eachField(raw, func(f wireField) (err error) {
		switch f.number {
		case 1:
			err = objectMeta(f.bytes, &s.ObjectMeta, labels)
		case 2:
			err = decodeServiceSpec(f.bytes, &s.Spec)
		case 3:
			err = decodeServiceStatus(f.bytes, &s.Status)
		}
		return err
	})
}

func decodeServiceSpec(message []byte, spec *corev1.ServiceSpec) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			var port corev1.ServicePort
			if err := decodeServicePort(f.bytes, &port); err != nil {
				return err
			}
			spec.Ports = append(spec.Ports, port)
		case 3:
			spec.ClusterIP = string(f.bytes)
		case 4:
			spec.Type = corev1.ServiceType(f.bytes)
		case 5:
			spec.ExternalIPs = append(spec.ExternalIPs, string(f.bytes))
		case 10:
			spec.ExternalName = string(f.bytes)
		case 18:
			spec.ClusterIPs = append(spec.ClusterIPs, string(f.bytes))
		}
		return nil
	})
}

func decodeServicePort(message []byte, port *corev1.ServicePort) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			port.Name = string(f.bytes)
		case 2:
			port.Protocol = corev1.Protocol(f.bytes)
		case 3:
			port.Port = int32(f.varint)
		case 4:
			return decodeTargetPort(f.bytes, &port.TargetPort)
		}
		return nil
	})
}

func decodeTargetPort(message []byte, target *intstr.IntOrString) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			target.Type = intstr.Type(f.varint)
		case 2:
			target.IntVal = int32(f.varint)
		case 3:
			target.StrVal = string(f.bytes)
		}
		return nil
	})
}

func decodeServiceStatus(message []byte, status *corev1.ServiceStatus) error {
	return eachLoadBalancer(message, func(lb corev1.LoadBalancerIngress) {
		status.LoadBalancer.Ingress = append(status.LoadBalancer.Ingress, lb)
	})
}

// eachLoadBalancer calls visit with each load balancer in the status of an object, which are nested two
// messages deep. An Ingress has no mode there.
func eachLoadBalancer(message []byte, visit func(corev1.LoadBalancerIngress)) error {
	return eachMessage(message, 1, func(message []byte) error {
		return eachMessage(message, 1, func(message []byte) error {
			var lb corev1.LoadBalancerIngress
			err := eachField(message, func(f wireField) error {
				switch f.number {
				case 1:
					lb.IP = string(f.bytes)
				case 2:
					lb.Hostname = string(f.bytes)
				case 3:
					mode := corev1.LoadBalancerIPMode(f.bytes)
					lb.IPMode = &mode
				}
				return nil
			})
			if err == nil {
				visit(lb)
			}
			return err
		})
	})
}
