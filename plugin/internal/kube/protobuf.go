package kube

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The API server sends ten times of each object what DNS needs of it. Decoding
// all of it makes most of the garbage of a list, and garbage is memory. So the
// protobuf decoders here fill in the fields that the converters ask for and no
// others, and copy nothing but these. What they do not know, such as the status
// of an error, goes to those of Kubernetes.

// protobufMagic begins every object in protobuf, before its envelope.
var protobufMagic = []byte("k8s\x00")

// decoder makes an object of its message in protobuf. It keeps nothing of raw.
type decoder func(raw []byte) (runtime.Object, error)

// slimCodecs decode the objects of one kind by a decoder of our own.
type slimCodecs struct {
	runtime.NegotiatedSerializer
	kind   schema.GroupVersionKind
	decode decoder
}

// SupportedMediaTypes are those of Kubernetes, protobuf among them with our decoders.
func (c slimCodecs) SupportedMediaTypes() []runtime.SerializerInfo {
	all := c.NegotiatedSerializer.SupportedMediaTypes()
	slim := make([]runtime.SerializerInfo, len(all))
	for i, info := range all {
		if info.MediaType == runtime.ContentTypeProtobuf {
			stream := *info.StreamSerializer
			stream.Serializer = eventSerializer{stream.Serializer}
			info.Serializer, info.StreamSerializer = slimSerializer{info.Serializer, c}, &stream
		}
		slim[i] = info
	}
	return slim
}

// slimSerializer decodes the objects of one kind.
type slimSerializer struct {
	runtime.Serializer
	codecs slimCodecs
}

// Decode decodes an object with its envelope.
func (s slimSerializer) Decode(
	data []byte, defaults *schema.GroupVersionKind, into runtime.Object,
) (runtime.Object, *schema.GroupVersionKind, error) {
	kind, raw, err := openEnvelope(data)
	if err != nil {
		return nil, nil, err
	}
	if into != nil || kind != s.codecs.kind {
		return s.Serializer.Decode(data, defaults, into)
	}
	obj, err := s.codecs.decode(raw)
	if err != nil {
		return nil, &kind, fmt.Errorf("%s in protobuf: %w", kind.Kind, err)
	}
	return obj, &kind, nil
}

// openEnvelope tells the kind of an object in protobuf, and where in the data its
// message is.
func openEnvelope(data []byte) (kind schema.GroupVersionKind, raw []byte, err error) {
	envelope, ok := bytes.CutPrefix(data, protobufMagic)
	if !ok {
		return kind, nil, fmt.Errorf("an object in protobuf begins with %q, not with %q", protobufMagic, data[:min(len(data), len(protobufMagic))])
	}
	err = eachField(envelope, func(f wireField) error {
		switch f.number {
		case 1:
			kind, err = typeMeta(f.bytes)
			return err
		case 2:
			raw = f.bytes
		}
		return nil
	})
	return kind, raw, err
}

func typeMeta(data []byte) (schema.GroupVersionKind, error) {
	var version, kind string
	err := eachField(data, func(f wireField) error {
		switch f.number {
		case 1:
			version = string(f.bytes)
		case 2:
			kind = string(f.bytes)
		}
		return nil
	})
	return schema.FromAPIVersionAndKind(version, kind), err
}

// eventSerializer decodes the events of a watch.
type eventSerializer struct{ runtime.Serializer }

// Decode decodes an event without copying the object in it, which is valid until
// the next event is read: by then the object has been decoded.
func (s eventSerializer) Decode(
	data []byte, defaults *schema.GroupVersionKind, into runtime.Object,
) (runtime.Object, *schema.GroupVersionKind, error) {
	event, ok := into.(*metav1.WatchEvent)
	if !ok {
		return s.Serializer.Decode(data, defaults, into)
	}
	*event = metav1.WatchEvent{}
	err := eachField(data, func(f wireField) error {
		switch f.number {
		case 1:
			event.Type = string(f.bytes)
		case 2:
			return eachField(f.bytes, func(f wireField) error {
				if f.number == 1 {
					event.Object.Raw = f.bytes
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("event of a watch in protobuf: %w", err)
	}
	return event, defaults, nil
}
