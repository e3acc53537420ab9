package slimpb

import (
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// wireField is a field of a message in protobuf. Which of the values it has depends
// on its type, and the numbers are those of the generated.proto files of
// Kubernetes, where they are never used twice.
type wireField struct {
	number protowire.Number
	bytes  []byte // of a text or of a message
	varint uint64
}

func (f wireField) isTrue() bool { return f.varint != 0 }

// eachField calls tell with every field of a message, in order.
func eachField(message []byte, tell func(wireField) error) error {
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
		if err := tell(f); err != nil {
			return err
		}
	}
	return nil
}

// countFields is the number of fields with a number, so that a list can be made
// in one piece.
func countFields(message []byte, number protowire.Number) (count int) {
	// What is wrong with the message shows when its fields are decoded.
	_ = eachField(message, func(f wireField) error {
		if f.number == number {
			count++
		}
		return nil
	})
	return count
}

// wanted reports whether an entry of a map is kept; nil keeps none.
type wanted func(key []byte) bool

func all([]byte) bool { return true }

// oneOf keeps the entries with these keys.
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

// wantedAnnotations are the mark of the end of a streaming list, and the date of
// a change.
var wantedAnnotations = oneOf(metav1.InitialEventsAnnotationKey, corev1.EndpointsLastChangeTriggerTime)

// objectMeta decodes what identifies an object, and of its labels those wanted.
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
		case 11:
			return addEntry(&m.Labels, f.bytes, labels)
		case 12:
			return addEntry(&m.Annotations, f.bytes, wantedAnnotations)
		}
		return nil
	})
}

// addEntry adds an entry of a map of texts, if it is wanted.
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
