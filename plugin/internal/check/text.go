package check

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/miekg/dns"
)

// text is a Corefile as it is written, with its imports and its environment put in.
type text struct {
	path   string
	body   []byte
	blocks []*block
}

// block is a server block.
type block struct {
	of         *text
	line       int // of its head, or 0
	zones      []string
	port       string // of its first zone; empty for the default
	keys       []string
	directives map[string][]*directive
}

// directive is one use of a plugin in a server block.
type directive struct {
	line
	args       []string
	properties []line
	last       int // the last line
}

// line is a line of a directive.
type line struct {
	file  string
	no    int
	words []string
}

// readText parses a Corefile as CoreDNS does.
func readText(path string, body []byte) (*text, error) {
	parsed, err := caddyfile.Parse(path, bytes.NewReader(body), dnsserver.Directives)
	if err != nil {
		return nil, err
	}
	t := &text{path: path, body: body}
	heads := headLines(path, body)
	for _, p := range parsed {
		b := &block{of: t, keys: p.Keys, directives: map[string][]*directive{}}
		b.readZones()
		first := 0
		for name, tokens := range p.Tokens {
			b.directives[name] = readDirectives(path, tokens)
			if at := tokens[0]; at.File == "" && (first == 0 || at.Line < first) {
				first = at.Line
			}
		}
		for _, head := range heads {
			if head <= first {
				b.line = head
			}
		}
		t.blocks = append(t.blocks, b)
	}
	return t, nil
}

// headLines returns the lines outside braces, in ascending order.
func headLines(path string, body []byte) (lines []int) {
	depth := 0
	for d := caddyfile.NewDispenser(path, bytes.NewReader(body)); d.Next(); {
		switch d.Val() {
		case "{":
			depth++
		case "}":
			depth--
		default:
			if depth == 0 {
				lines = append(lines, d.Line())
			}
		}
	}
	return lines
}

// readZones reads the zones of a block, and the port of the first.
func (b *block) readZones() {
	for i, key := range b.keys {
		_, address := parse.Transport(key)
		hosts, port, err := plugin.SplitHostPort(address)
		if err != nil {
			continue
		}
		if i == 0 {
			b.port = port
		}
		for _, host := range hosts {
			b.zones = append(b.zones, plugin.Name(host).Normalize())
		}
	}
}

// readDirectives splits the tokens of a plugin in a block into its directives.
func readDirectives(path string, tokens []caddyfile.Token) (all []*directive) {
	depth := 0
	for _, l := range splitLines(path, tokens) {
		words := slices.DeleteFunc(slices.Clone(l.words), func(w string) bool { return w == "{" || w == "}" })
		switch {
		case len(words) == 0:
		case depth == 0:
			d := &directive{line: line{l.file, l.no, words}, args: words[1:]}
			all = append(all, d)
		case depth == 1:
			d := all[len(all)-1]
			d.properties = append(d.properties, line{l.file, l.no, words})
		}
		if len(all) > 0 {
			all[len(all)-1].last = l.no
		}
		depth += count(l.words, "{") - count(l.words, "}")
	}
	return all
}

// splitLines splits tokens into the lines that they stand on.
func splitLines(path string, tokens []caddyfile.Token) (lines []line) {
	for i, t := range tokens {
		if i == 0 || t.File != tokens[i-1].File || t.Line > tokens[i-1].Line+strings.Count(tokens[i-1].Text, "\n") {
			lines = append(lines, line{file: fileOf(path, t), no: t.Line})
		}
		last := &lines[len(lines)-1]
		last.words = append(last.words, t.Text)
	}
	return lines
}

// fileOf returns the file of a token, which has none if it is the Corefile itself.
func fileOf(path string, t caddyfile.Token) string {
	if t.File == "" {
		return path
	}
	return t.File
}

func count(words []string, word string) (n int) {
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

// property returns the first property of a name, or nil.
func (d *directive) property(name string) *line {
	for i := range d.properties {
		if d.properties[i].words[0] == name {
			return &d.properties[i]
		}
	}
	return nil
}

// arguments returns what stands behind the first word.
func (l *line) arguments() []string { return l.words[1:] }

// first returns the first directive of a plugin, or nil.
func (b *block) first(names ...string) *directive {
	for _, name := range names {
		if all := b.directives[name]; len(all) > 0 {
			return all[0]
		}
	}
	return nil
}

// all returns the directives of all blocks.
func (t *text) all() (all []*directive) {
	for _, b := range t.blocks {
		for _, name := range slices.Sorted(maps.Keys(b.directives)) {
			all = append(all, b.directives[name]...)
		}
	}
	return all
}

// cluster returns the directive that serves the cluster, or nil.
func (b *block) cluster() *directive { return b.first("kubernetes", "clusterdns") }

// zonesOf returns the zones among the arguments of a directive, or else those of the block.
func (b *block) zonesOf(args []string) []string {
	return plugin.OriginsFromArgsOrServerBlock(args, b.keys)
}

// origins returns the zones of the cluster.
func (b *block) origins() []string {
	d := b.cluster()
	if d == nil {
		return nil
	}
	return b.zonesOf(d.args)
}

// forwardOrigins returns the zones of the cluster but for the reverse zones.
func (b *block) forwardOrigins() []string {
	return slices.DeleteFunc(slices.Clone(b.origins()), isReverse)
}

func isReverse(zone string) bool {
	return dns.IsSubDomain("in-addr.arpa.", zone) || dns.IsSubDomain("ip6.arpa.", zone)
}

// encloses reports whether a name is in one of the zones.
func encloses(zones []string, name string) bool {
	return slices.ContainsFunc(zones, func(z string) bool { return dns.IsSubDomain(z, name) })
}

// meet reports whether some names are both in one of the zones and in a zone.
func meet(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(z string) bool { return dns.IsSubDomain(z, zone) || dns.IsSubDomain(zone, z) })
}

// through returns the zones whose names fall through, as CoreDNS reads the property fallthrough.
func (d *directive) through() []string {
	l := d.property("fallthrough")
	switch {
	case l == nil:
		return nil
	case len(l.arguments()) == 0:
		return []string{"."}
	}
	return plugin.OriginsFromArgsOrServerBlock(l.arguments(), nil)
}

// owner returns the block that answers questions for a name at the same port, or nil.
func (b *block) owner(name string) (owner *block) {
	longest := -1
	for _, other := range b.of.blocks {
		if other.port != b.port {
			continue
		}
		for _, zone := range other.zones {
			if n := dns.CountLabel(zone); dns.IsSubDomain(zone, name) && n > longest {
				owner, longest = other, n
			}
		}
	}
	return owner
}

// lineOfWord returns the first line that begins with a word, or 0.
func (t *text) lineOfWord(word string) int {
	return t.lineWhere(func(d *caddyfile.Dispenser) bool { return d.Val() == word })
}

// lineOfImport returns the first line that imports a pattern, or 0.
func (t *text) lineOfImport(pattern string) int {
	return t.lineWhere(func(d *caddyfile.Dispenser) bool { return d.Val() == "import" && d.NextArg() && d.Val() == pattern })
}

// lineWhere returns the first line that a function selects, or 0. The function is called at the first word of
// each line.
func (t *text) lineWhere(selects func(*caddyfile.Dispenser) bool) int {
	last := 0
	for d := caddyfile.NewDispenser(t.path, bytes.NewReader(t.body)); d.Next(); {
		if no := d.Line(); no != last {
			last = no
			if selects(&d) {
				return no
			}
		}
	}
	return 0
}

// texts returns zones for a sentence, which may end behind them.
func texts(zones []string) string {
	var all []string
	for _, z := range zones {
		if z != "." {
			z = strings.TrimSuffix(z, ".")
		}
		all = append(all, strconv.Quote(z))
	}
	return strings.Join(all, " ")
}
