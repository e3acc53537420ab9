package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// resolve returns the node that an alias stands for, or the node itself.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// field returns the value of a key in a mapping, or nil.
func field(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

// nameOf describes a node in words.
func nameOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	}
	return fmt.Sprintf("the text %q", n.Value)
}

// explain returns an error that says where a document does not fit its type. It decodes the
// document again with the standard library, because the decoder of Kubernetes does not
// report the path of the field.
func (d *document) explain(data []byte, obj any, err error) error {
	var mismatch *json.UnmarshalTypeError
	std := json.Unmarshal(data, reflect.New(reflect.TypeOf(obj).Elem()).Interface())
	if !errors.As(std, &mismatch) || mismatch.Field == "" {
		return fmt.Errorf("%s: %s: %w", d.place(), d.kind, err)
	}
	expected := expectation(mismatch.Type)
	s := search{elements: mismatch.Value != "array", t: mismatch.Type}
	culprit := s.find(d.node, strings.Split(mismatch.Field, "."))
	if culprit == nil {
		return fmt.Errorf("%s: %s: expected %s, found %s", d.place(), mismatch.Field, expected, mismatch.Value)
	}
	return fmt.Errorf("%s: %s: expected %s, found %s", d.at(culprit.Line), mismatch.Field, expected, nameOf(culprit))
}

// search finds a node that does not fit a type. If elements is set, the type is that of the
// elements of a list.
type search struct {
	elements bool
	t        reflect.Type
}

// find returns the first node at a path that does not fit. A path does not mention lists:
// find tries all their items.
func (s search) find(n *yaml.Node, path []string) *yaml.Node {
	n = resolve(n)
	wrong := !fits(n, s.t)
	if n.Kind == yaml.SequenceNode && (len(path) > 0 || s.elements && wrong) {
		return s.findIn(n.Content, path)
	}
	if len(path) > 0 {
		next := field(n, path[0])
		if next == nil {
			return nil
		}
		return s.find(next, path[1:])
	}
	if wrong {
		return n
	}
	return nil
}

func (s search) findIn(items []*yaml.Node, path []string) *yaml.Node {
	for _, item := range items {
		if found := s.find(item, path); found != nil {
			return found
		}
	}
	return nil
}

// fits reports whether a node seems to fit a type.
func fits(n *yaml.Node, t reflect.Type) bool {
	if n.Tag == "!!null" {
		return true
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return n.Kind == yaml.MappingNode
	case reflect.Slice:
		return n.Kind == yaml.SequenceNode
	case reflect.String:
		return n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp")
	case reflect.Bool:
		return n.Tag == "!!bool"
	default:
		return n.Tag == "!!int" && n.Decode(reflect.New(t).Interface()) == nil // and in range
	}
}

func expectation(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a text (perhaps in quotes)"
	case reflect.Bool:
		return "true or false"
	default:
		return "a whole number"
	}
}
