package slimpb

import (
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// wireField is a field of a protobuf message. Its type decides which value it has. The
// field numbers are those of Kubernetes' generated.proto files, which never reuse one.
type wireField struct {
	number protowire.Number
	bytes  []byte // of a string or of a message
	varint uint64
}

func (f wireField) isTrue() bool { return f.varint != 0 }

// eachField calls visit with every field of a message, in order.
func eachField(message []byte, visit func(wireField) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		f := wireField{number: number}
		switch kind {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// eachMessage calls visit with every field of a message that has a number, in order.
func eachMessage(message []byte, number protowire.Number, visit func(message []byte) error) error {
	return eachField(message, func(f wireField) error {
		if f.number != number {
			return nil
		}
		return visit(f.bytes)
	})
}

// countFields returns the number of fields with a number, so that a list can be allocated
// at once.
func countFields(message []byte, number protowire.Number) (count int) {
	// Errors in the message appear when its fields are decoded.
	_ = eachField(message, func(f wireField) error {
		if f.number == number {
			count++
		}
		return nil
	})
	return count
}

// wanted reports whether an entry of a map is kept; a nil wanted keeps none.
type wanted func(key []byte) bool

func all([]byte) bool { return true }

// oneOf returns a wanted that keeps the entries with these keys.
func oneOf(keys ...string) wanted {
	return func(key []byte) bool {
		for _, k := range keys {
			if string(key) == k {
				return true
			}
		}
		return false
	}
}

// wantedAnnotations keeps the mark at the end of a streaming list, the time of the cause of a
// change, and what k8s_gateway reads.
var wantedAnnotations = oneOf(append([]string{metav1.InitialEventsAnnotationKey, corev1.EndpointsLastChangeTriggerTime, AnnotationIngressClass,
	AnnotationResolveEndpoints}, HostnameAnnotations...)...)

// objectMeta decodes the identity of an object and its wanted labels.
func objectMeta(message []byte, m *metav1.ObjectMeta, labels wanted) error {
	return eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			m.Name = string(f.bytes)
		case 3:
			m.Namespace = string(f.bytes)
		case 5:
			m.UID = types.UID(f.bytes)
		case 6:
			m.ResourceVersion = string(f.bytes)
		case 8:
			m.CreationTimestamp = timeOf(f.bytes)
		case 11:
			return addEntry(&m.Labels, f.bytes, labels)
		case 12:
			return addEntry(&m.Annotations, f.bytes, wantedAnnotations)
		}
		return nil
	})
}

// timeOf decodes a time in whole seconds.
func timeOf(message []byte) (t metav1.Time) {
	_ = eachField(message, func(f wireField) error {
		if f.number == 1 {
			t = metav1.Unix(int64(f.varint), 0)
		}
		return nil
	})
	return t
}

// addEntry adds an entry to a map of strings, if it is wanted.
func addEntry(to *map[string]string, message []byte, w wanted) error {
	if w == nil {
		return nil
	}
	var key, value []byte
	err := eachField(message, func(f wireField) error {
		switch f.number {
		case 1:
			key = f.bytes
		case 2:
			value = f.bytes
		}
		return nil
	})
	if err != nil || !w(key) {
		return err
	}
	if *to == nil {
		*to = make(map[string]string)
	}
	(*to)[string(key)] = string(value)
	return nil
}
