package slimpb

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Node decodes a Node: its addresses.
func Node(raw []byte) (runtime.Object, error) {
	n := new(corev1.Node)
	return n, eachField(raw, func(f wireField) (err error) {
		switch f.number {
		case 1:
			err = objectMeta(f.bytes, &n.ObjectMeta, ignoreLabel)
		case 3:
			err = eachMessage(f.bytes, 5, func(message []byte) error {
				var a corev1.NodeAddress
				err := decodeNodeAddress(message, &a)
				n.Status.Addresses = append(n.Status.Addresses, a)
				return err
			})
		}
		return err
	})
}

func decodeNodeAddress(message []byte, a *corev1.NodeAddress) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			a.Type = corev1.NodeAddressType(f.bytes)
		case 2:
			a.Address = string(f.bytes)
		}
		return nil
	})
}
