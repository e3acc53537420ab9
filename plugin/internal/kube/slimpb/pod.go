package slimpb

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Pod returns a decoder of Pods, with their labels or without.
func Pod(withLabels bool) Decoder {
	var labels wanted
	if withLabels {
		labels = all
	}
	return func(raw []byte) (runtime.Object, error) {
		p := new(corev1.Pod)
		return p, eachField(raw, func(f wireField) (err error) {
			switch f.number {
			case 1:
				err = objectMeta(f.bytes, &p.ObjectMeta, labels)
			case 2:
				err = decodePodSpec(f.bytes, &p.Spec)
			case 3:
				err = decodePodStatus(f.bytes, &p.Status)
			}
			return err
		})
	}
}

func decodePodSpec(message []byte, spec *corev1.PodSpec) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 6:
			spec.DNSPolicy = corev1.DNSPolicy(f.bytes)
		case 11:
			spec.HostNetwork = f.isTrue()
		case 26:
			if spec.DNSConfig == nil {
				spec.DNSConfig = new(corev1.PodDNSConfig)
			}
			return decodeDNSConfig(f.bytes, spec.DNSConfig)
		}
		return nil
	})
}

func decodeDNSConfig(message []byte, config *corev1.PodDNSConfig) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 2:
			config.Searches = append(config.Searches, string(f.bytes))
		case 3:
			var option corev1.PodDNSConfigOption
			if err := decodeDNSOption(f.bytes, &option); err != nil {
				return err
			}
			config.Options = append(config.Options, option)
		}
		return nil
	})
}

func decodeDNSOption(message []byte, option *corev1.PodDNSConfigOption) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			option.Name = string(f.bytes)
		case 2:
			option.Value = new(string(f.bytes))
		}
		return nil
	})
}

func decodePodStatus(message []byte, status *corev1.PodStatus) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			status.Phase = corev1.PodPhase(f.bytes)
		case 6:
			status.PodIP = string(f.bytes)
		case 12:
			status.PodIPs = append(status.PodIPs, corev1.PodIP{})
			ip := &status.PodIPs[len(status.PodIPs)-1]
			return eachField(f.bytes, func(f wireField) error {
				if f.number == 1 {
					ip.IP = string(f.bytes)
				}
				return nil
			})
		}
		return nil
	})
}
