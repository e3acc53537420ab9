package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// document is one Kubernetes object of a file, not yet decoded. Objects of lists
// are documents of their own.
type document struct {
	path       string
	node       *yaml.Node // a mapping
	apiVersion string
	kind       string
}

// place is where the document begins, for messages.
func (d *document) place() string { return fmt.Sprintf("%s:%d", d.path, d.node.Line) }

// parseDocuments finds the objects of a YAML or JSON file.
func parseDocuments(t text) ([]document, error) {
	var all []document
	for decoder := yaml.NewDecoder(bytes.NewReader(t.data)); ; {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, syntaxError(t, err)
		}
		if all, err = appendObjects(all, document{path: t.path, node: root.Content[0]}); err != nil {
			return nil, err
		}
	}
}

// appendObjects appends an object, or the items of a list. d has the apiVersion
// and kind that the list around it implies, if any: the API server leaves them
// out of the items of typed lists.
func appendObjects(all []document, d document) ([]document, error) {
	d.node = resolve(d.node)
	if d.node.Tag == "!!null" {
		return all, nil // nothing but comments between two ---
	}
	if d.node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: expected a Kubernetes object, found %s", d.place(), nameOf(d.node))
	}
	if v := field(d.node, "apiVersion"); v != nil {
		d.apiVersion = v.Value
	}
	if v := field(d.node, "kind"); v != nil {
		d.kind = v.Value
	}
	if d.apiVersion == "" || d.kind == "" {
		return nil, fmt.Errorf("%s: expected a Kubernetes object, found a mapping without apiVersion or kind", d.place())
	}
	items := field(d.node, "items")
	if items == nil || !strings.HasSuffix(d.kind, "List") {
		return append(all, d), nil
	}
	implied := document{path: d.path}
	if kind := strings.TrimSuffix(d.kind, "List"); kind != "" {
		implied.apiVersion, implied.kind = d.apiVersion, kind
	}
	return appendItems(all, implied, items)
}

func appendItems(all []document, implied document, items *yaml.Node) (_ []document, err error) {
	if items.Kind != yaml.SequenceNode && items.Tag != "!!null" {
		return nil, fmt.Errorf("%s:%d: items: expected a list, found %s", implied.path, items.Line, nameOf(items))
	}
	for _, item := range items.Content {
		implied.node = item
		if all, err = appendObjects(all, implied); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// into decodes the document. It goes by way of JSON, as the API types know no
// other tags.
func (d *document) into(obj any) error {
	var value any
	if err := d.node.Decode(&value); err != nil {
		return fmt.Errorf("%s:%d: %s", d.path, lineOf(err, d.node.Line), messageOf(err))
	}
	data, err := json.Marshal(value)
	if err != nil { // a key that is a number, a number that is infinite
		return fmt.Errorf("%s: expected what JSON can express: %w", d.place(), err)
	}
	if err := utiljson.Unmarshal(data, obj); err != nil {
		return d.explain(data, obj, err)
	}
	return nil
}

// syntaxError is an error of the parser, with the line that it is in.
func syntaxError(t text, err error) error {
	// The parser notices what is missing at the end only beyond it.
	line := min(lineOf(err, badLine(t.data)), lastLine(t.data))
	return fmt.Errorf("%s:%d: expected YAML or JSON: %s", t.path, line, messageOf(err))
}

// lastLine is the last line that says something, or the first.
func lastLine(data []byte) int {
	return 1 + bytes.Count(bytes.TrimRight(data, " \t\r\n"), []byte("\n"))
}

func lineOf(err error, fallback int) int {
	var e *yaml.LoadError
	if errors.As(err, &e) && e.Mark.Line > 0 {
		return e.Mark.Line
	}
	return fallback
}

func messageOf(err error) string {
	var e *yaml.LoadError
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// badLine is the first line with a character that YAML forbids, of which the
// parser does not say where it is.
func badLine(data []byte) int {
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) || bytes.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
			return i + 1
		}
	}
	return 1
}
