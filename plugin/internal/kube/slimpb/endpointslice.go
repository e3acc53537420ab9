package slimpb

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// SliceFields are the optional fields of an EndpointSlice to decode.
type SliceFields struct {
	Labels        []string // keys of labels
	TargetRef     bool     // of endpoints
	TopologyZones bool     // of endpoints
}

// EndpointSlice returns a decoder of EndpointSlices.
func EndpointSlice(fields SliceFields) Decoder {
	labels := oneOf(fields.Labels...)
	return func(raw []byte) (runtime.Object, error) {
		s := &discoveryv1.EndpointSlice{Endpoints: make([]discoveryv1.Endpoint, 0, countFields(raw, 2))}
		return s, eachField(raw, func(f wireField) (err error) {
			switch f.number {
			case 1:
				err = objectMeta(f.bytes, &s.ObjectMeta, labels)
			case 2:
				s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{})
				err = decodeEndpoint(f.bytes, &s.Endpoints[len(s.Endpoints)-1], fields)
			case 3:
				s.Ports = append(s.Ports, discoveryv1.EndpointPort{})
				err = decodeEndpointPort(f.bytes, &s.Ports[len(s.Ports)-1])
			case 4:
				s.AddressType = discoveryv1.AddressType(f.bytes)
			}
			return err
		})
	}
}

func decodeEndpoint(message []byte, e *discoveryv1.Endpoint, fields SliceFields) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			e.Addresses = append(e.Addresses, string(f.bytes))
		case 2:
			return decodeReady(f.bytes, &e.Conditions)
		case 3:
			e.Hostname = new(string(f.bytes))
		case 4:
			if fields.TargetRef {
				if e.TargetRef == nil {
					e.TargetRef = new(corev1.ObjectReference)
				}
				return decodeReference(f.bytes, e.TargetRef)
			}
		case 7:
			if fields.TopologyZones {
				e.Zone = new(string(f.bytes))
			}
		}
		return nil
	})
}

func decodeReady(message []byte, conditions *discoveryv1.EndpointConditions) error {
	return eachField(message, func(f wireField) error {
		if f.number == 1 {
			conditions.Ready = new(f.isTrue())
		}
		return nil
	})
}

func decodeReference(message []byte, r *corev1.ObjectReference) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			r.Kind = string(f.bytes)
		case 3:
			r.Name = string(f.bytes)
		}
		return nil
	})
}

func decodeEndpointPort(message []byte, port *discoveryv1.EndpointPort) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			port.Name = new(string(f.bytes))
		case 2:
			port.Protocol = new(corev1.Protocol(f.bytes))
		case 3:
			port.Port = new(int32(f.varint))
		}
		return nil
	})
}
