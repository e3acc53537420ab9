package manifest

import (
	"fmt"

	"go.yaml.in/yaml/v4"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest/pieces"
)

const (
	// depthLimit bounds how deep values may be nested, with and without aliases. The
	// deepest objects in use, the schemas of CustomResourceDefinitions, have about fifty
	// levels.
	depthLimit = 1000
	// aliasLimit bounds the total size in octets of the values that the aliases of a
	// document stand for.
	aliasLimit = pieces.Limit
	// nodeSize is the size of a value in addition to its text.
	nodeSize = 16
)

// extent is the size and depth of a value with its aliases replaced.
type extent struct{ size, depth int }

// aliases adds up the sizes of the values that the aliases of a document stand for.
type aliases struct {
	document *document
	anchored map[*yaml.Node]extent // values with an anchor that have been measured completely
	size     int
}

// checkAliases refuses aliases of values that contain themselves, or that stand for too
// much: a few hundred octets can stand for more than any machine has memory.
func checkAliases(d *document) error {
	a := &aliases{document: d, anchored: make(map[*yaml.Node]extent)}
	_, err := a.measure(d.node)
	return err
}

func (a *aliases) measure(n *yaml.Node) (extent, error) {
	if n.Kind == yaml.AliasNode {
		return a.follow(n)
	}
	e := extent{size: nodeSize + len(n.Value)}
	for _, child := range n.Content {
		inner, err := a.measure(child)
		if err != nil {
			return e, err
		}
		e.size += inner.size
		e.depth = max(e.depth, inner.depth+1)
	}
	if e.depth > depthLimit {
		return e, fmt.Errorf("%s: expected values nested at most %d deep", a.document.at(n.Line), depthLimit)
	}
	if n.Anchor != "" {
		a.anchored[n] = e
	}
	return e, nil
}

// follow returns the extent of the value that an alias stands for. That value comes before
// the alias, so it has been measured, unless the alias is a part of it.
func (a *aliases) follow(n *yaml.Node) (extent, error) {
	e, ok := a.anchored[n.Alias]
	if !ok {
		return e, fmt.Errorf("%s: anchor %q: the value contains itself", a.document.at(n.Line), n.Value)
	}
	if a.size += e.size; a.size > aliasLimit {
		return e, fmt.Errorf("%s: excessive aliasing: the aliases stand for more than %d MiB", a.document.at(n.Line), aliasLimit>>20)
	}
	return e, nil
}

// checkKeys refuses a mapping that has a key twice. The check of the YAML package compares
// each key with every other and remembers all pairs, so it is switched off.
func (d *document) checkKeys(n *yaml.Node, seen map[*yaml.Node]bool) error {
	n = resolve(n)
	if n.Anchor != "" {
		if seen[n] {
			return nil
		}
		seen[n] = true
	}
	if n.Kind == yaml.MappingNode {
		if err := d.checkMapping(n); err != nil {
			return err
		}
	}
	for _, child := range n.Content {
		if err := d.checkKeys(child, seen); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkMapping(n *yaml.Node) error {
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			continue
		}
		if line, ok := lines[key.Value]; ok {
			return fmt.Errorf("%s: mapping key %q already defined at line %d", d.at(key.Line), key.Value, d.above+line)
		}
		lines[key.Value] = key.Line
	}
	return nil
}
