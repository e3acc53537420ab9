package written

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// manifestLine is a line that each object of Kubernetes has, and no Corefile.
var manifestLine = regexp.MustCompile(`(?m)^[\s{-]*"?apiVersion"?\s*:`)

// corefileKey is the key under which a ConfigMap has the Corefile.
const corefileKey = "Corefile"

// Unwrapped returns the Corefile in what kubectl prints of a ConfigMap, and how to call it. Its lines are those of what
// was printed, if they can be. A text that is no object of Kubernetes is the Corefile itself.
func Unwrapped(path string, body []byte, piped bool) (name string, corefile []byte, err error) {
	if !manifestLine.Match(body) {
		return path, body, nil
	}
	var found []*yaml.Node
	var kinds []string
	for decoder := yaml.NewDecoder(bytes.NewReader(body)); ; {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return chosen(path, found, kinds, piped)
		case err != nil:
			return path, body, nil // a Corefile after all
		}
		for _, object := range objectsOf(&document) {
			kinds = append(kinds, describe(object))
			if field(object, "data", corefileKey) != nil {
				found = append(found, object)
			}
		}
	}
}

// chosen returns the Corefile of the only object that has one.
func chosen(path string, found []*yaml.Node, kinds []string, piped bool) (string, []byte, error) {
	const expected = "expected a Corefile, or one ConfigMap that has it: kubectl -n kube-system get configmap coredns -o yaml"
	if piped {
		path = "the standard input"
	}
	switch len(found) {
	case 0:
		objects := "an empty list"
		if slices.Sort(kinds); len(kinds) > 0 {
			objects = strings.Join(slices.Compact(kinds), ", ")
		}
		return "", nil, fmt.Errorf("%s is no Corefile, but %s without the key %s: %s", path, objects, corefileKey, expected)
	case 1:
	default:
		return "", nil, fmt.Errorf("%s has %d objects with the key %s: %s", path, len(found), corefileKey, expected)
	}
	text := field(found[0], "data", corefileKey)
	if piped {
		path = describe(found[0])
	}
	if text.Style&yaml.LiteralStyle == 0 { // its lines are not those of the file
		return "Corefile in " + path, []byte(text.Value), nil
	}
	return path, []byte(strings.Repeat("\n", text.Line) + text.Value), nil
}

// objectsOf returns the objects in a document, which may be a list.
func objectsOf(document *yaml.Node) []*yaml.Node {
	if document.Kind != yaml.DocumentNode || len(document.Content) == 0 {
		return nil
	}
	object := document.Content[0]
	if items := field(object, "items"); items != nil && items.Kind == yaml.SequenceNode {
		return items.Content
	}
	return []*yaml.Node{object}
}

// describe returns the kind and the name of an object.
func describe(object *yaml.Node) string {
	var words []string
	for _, f := range []*yaml.Node{field(object, "kind"), field(object, "metadata", "name")} {
		if f != nil {
			words = append(words, f.Value)
		}
	}
	return strings.Join(words, " ")
}

// field returns what is at a path below a mapping, or nil.
func field(object *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		if object == nil || object.Kind != yaml.MappingNode {
			return nil
		}
		var value *yaml.Node
		for i := 0; i+1 < len(object.Content); i += 2 {
			if object.Content[i].Value == name {
				value = object.Content[i+1]
			}
		}
		object = value
	}
	return object
}
