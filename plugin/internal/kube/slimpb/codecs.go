// Package slimpb decodes Kubernetes objects from protobuf, but only the fields that DNS
// needs.
//
// The API server sends ten times as much for each object. Decoding all of it would make
// most of the garbage of a list, and garbage takes memory. Anything that the package does
// not know, such as the status of an error, it leaves to the decoders of Kubernetes.
//
// The rule not to break: a field that package convert reads must be decoded here.
package slimpb

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// magic are the first bytes of every object in protobuf, before its envelope.
var magic = []byte("k8s\x00")

// A Decoder makes an object from its protobuf message. It keeps no reference to raw.
type Decoder func(raw []byte) (runtime.Object, error)

// Codecs returns codecs that decode the objects of one kind with decode, and everything
// else like the given codecs.
func Codecs(all runtime.NegotiatedSerializer, kind schema.GroupVersionKind, decode Decoder) runtime.NegotiatedSerializer {
	return codecs{all, kind, decode}
}

// codecs decode the objects of one kind with a decoder of our own.
type codecs struct {
	runtime.NegotiatedSerializer
	kind   schema.GroupVersionKind
	decode Decoder
}

// SupportedMediaTypes returns the media types of Kubernetes, with our decoder for protobuf.
func (c codecs) SupportedMediaTypes() []runtime.SerializerInfo {
	all := c.NegotiatedSerializer.SupportedMediaTypes()
	slim := make([]runtime.SerializerInfo, len(all))
	for i, info := range all {
		if info.MediaType == runtime.ContentTypeProtobuf {
			stream := *info.StreamSerializer
			stream.Serializer = eventSerializer{stream.Serializer}
			info.Serializer, info.StreamSerializer = serializer{info.Serializer, c}, &stream
		}
		slim[i] = info
	}
	return slim
}

// serializer decodes the objects of one kind.
type serializer struct {
	runtime.Serializer
	codecs codecs
}

// Decode decodes an object with its envelope.
func (s serializer) Decode(
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

// openEnvelope returns the kind of an object in protobuf, and its message within data.
func openEnvelope(data []byte) (kind schema.GroupVersionKind, raw []byte, err error) {
	envelope, ok := bytes.CutPrefix(data, magic)
	if !ok {
		return kind, nil, fmt.Errorf("an object in protobuf begins with %q, not with %q", magic, data[:min(len(data), len(magic))])
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

// Decode decodes an event without copying the object in it. The object's bytes are valid
// until the next event is read; by then the object has been decoded.
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
