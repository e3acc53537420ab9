package manifest

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
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest/pieces"
)

// document is one Kubernetes object of a file before it is decoded. Each object of a list
// is a document of its own.
type document struct {
	path       string
	node       *yaml.Node // always a mapping
	above      int        // number of lines of the file before line 1 of node
	apiVersion string
	kind       string
}

// at returns the place in the file of a line as a node or an error of the parser counts it.
func (d *document) at(line int) string { return fmt.Sprintf("%s:%d", d.path, d.above+line) }

// place returns the place where the document begins, for messages.
func (d *document) place() string { return d.at(d.node.Line) }

// parser finds the documents of one file.
type parser struct {
	path string
	take func(*document) error
	list document // what is known about the list whose items are pieces

	emptyLists int
}

// parseDocuments passes the documents of a YAML or JSON file to take, one after another. It
// returns the number of lists without items.
func parseDocuments(path string, in io.Reader, take func(*document) error) (emptyLists int, err error) {
	p := &parser{path: path, take: take}
	err = pieces.Split(path, in, pieces.WholeDocument, p.piece)
	return p.emptyLists, err
}

// piece parses a piece. It recovers panics: the YAML package has had some that no test
// foresaw, and a file must not end the process.
func (p *parser) piece(t pieces.Piece) (err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("%s:%d: expected YAML or JSON, the parser failed: %v", p.path, t.Line+1, trouble)
		}
	}()
	if t.Part == pieces.Header {
		p.list = document{path: p.path, above: t.Line}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(t.Text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(depthLimit))))
	if err != nil {
		return err
	}
	for {
		var root yaml.Node
		if err := loader.Load(&root); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return p.syntaxError(t, err)
		}
		d := document{path: p.path, above: t.Line, node: root.Content[0]}
		if err := checkAliases(&d); err != nil {
			return err
		}
		if err := p.root(t.Part, d); err != nil {
			return err
		}
	}
	if t.Part == pieces.Footer {
		return p.endList()
	}
	return nil
}

// root handles one document of a piece, by the part that the piece is.
func (p *parser) root(of pieces.Part, d document) error {
	switch of {
	case pieces.Item:
		return p.items(d)
	case pieces.Header, pieces.Footer:
		return p.header(d)
	}
	return p.objects(d)
}

// objects passes on an object, or the items of a list. d has the apiVersion and kind that
// the list around it implies, if any: the API server omits them from the items of typed
// lists.
func (p *parser) objects(d document) error {
	d.node = resolve(d.node)
	if d.node.Tag == "!!null" {
		return nil // only comments between two ---
	}
	if d.node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: expected a Kubernetes object, found %s", d.place(), nameOf(d.node))
	}
	d.typed()
	if d.apiVersion == "" || d.kind == "" {
		return fmt.Errorf("%s: expected a Kubernetes object, found a mapping without apiVersion or kind", d.place())
	}
	items := field(d.node, "items")
	if items == nil || !d.isList() {
		return p.take(&d)
	}
	if items.Kind != yaml.SequenceNode && items.Tag != "!!null" {
		return fmt.Errorf("%s: items: expected a list, found %s", d.at(items.Line), nameOf(items))
	}
	if len(items.Content) == 0 {
		p.emptyLists++
	}
	implied := d.implied()
	for _, item := range items.Content {
		implied.node = item
		if err := p.objects(implied); err != nil {
			return err
		}
	}
	return nil
}

// typed reads the apiVersion and kind of the document, if it has them.
func (d *document) typed() {
	if v := field(d.node, "apiVersion"); v != nil {
		d.apiVersion = v.Value
	}
	if v := field(d.node, "kind"); v != nil {
		d.kind = v.Value
	}
}

func (d *document) isList() bool { return strings.HasSuffix(d.kind, "List") }

// implied returns a document with the apiVersion and kind that a list implies for its
// items.
func (d *document) implied() document {
	item := document{path: d.path, above: d.above}
	if kind := strings.TrimSuffix(d.kind, "List"); kind != "" {
		item.apiVersion, item.kind = d.apiVersion, kind
	}
	return item
}

// header reads the text before or after the items of a list.
func (p *parser) header(d document) error {
	if d.node.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: expected a Kubernetes object, found %s", d.place(), nameOf(d.node))
	}
	if items := field(d.node, "items"); items != nil && items.Tag != "!!null" {
		return fmt.Errorf("%s: mapping key \"items\" already defined", d.at(items.Line))
	}
	p.list.node = d.node
	p.list.typed()
	return nil
}

// items passes on the item in a piece of a list.
func (p *parser) items(d document) error {
	if p.list.kind != "" && !p.list.isList() {
		return nil // an object that happens to have items
	}
	item := p.list.implied()
	item.above = d.above
	nodes := []*yaml.Node{d.node}
	if d.node.Kind == yaml.SequenceNode {
		nodes = d.node.Content
	}
	for _, node := range nodes {
		item.node = node
		if err := p.objects(item); err != nil {
			return err
		}
	}
	return nil
}

// endList checks that the document with the items was a list.
func (p *parser) endList() error {
	switch l := &p.list; {
	case l.apiVersion == "" || l.kind == "":
		return fmt.Errorf("%s: expected a Kubernetes object, found a mapping without apiVersion or kind", l.at(1))
	case !l.isList():
		return p.take(l)
	}
	return nil
}

// into decodes the document. It converts it to JSON first, because the API types have JSON
// tags only.
func (d *document) into(obj any) error {
	if err := d.checkKeys(d.node, make(map[*yaml.Node]bool)); err != nil {
		return err
	}
	var value any
	if err := d.node.Load(&value, yaml.WithUniqueKeys(false)); err != nil {
		return fmt.Errorf("%s: %s", d.at(lineOf(err, d.node.Line)), messageOf(err))
	}
	data, err := json.Marshal(value)
	if err != nil { // a key that is a number, a number that is infinite
		return fmt.Errorf("%s: expected values that JSON can express: %w", d.place(), err)
	}
	if err := utiljson.Unmarshal(data, obj); err != nil {
		return d.explain(data, obj, err)
	}
	return nil
}

// syntaxError returns an error of the YAML package with its place in the file.
func (p *parser) syntaxError(t pieces.Piece, err error) error {
	// The parser notices only after the end that something is missing there.
	line := min(lineOf(err, badLine(t.Text)), lastLine(t.Text))
	return fmt.Errorf("%s:%d: expected YAML or JSON: %s", p.path, t.Line+line, messageOf(err))
}

// lastLine returns the number of the last line with text, or 1.
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

// badLine returns the number of the first line with a character that YAML forbids. The
// parser does not report where it is.
func badLine(data []byte) int {
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) || bytes.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
			return i + 1
		}
	}
	return 1
}
