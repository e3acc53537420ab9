package documents

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fence is a fenced block of a Markdown document.
type fence struct {
	line int    // where the block begins
	mark string // language of the block
	text string
}

// fenceStart matches the indentation, which a list may have, the characters of the fence,
// and the language.
var fenceStart = regexp.MustCompile("^((?:[ \t]|[-*+][ \t])*)(`{3,}|~{3,})([^`]*)$")

// fences returns the fenced blocks of a document, by section 4.5 of CommonMark. An unclosed
// block is an error: the blocks after it would be inverted.
func fences(document string) (found []fence, err error) {
	lines := strings.Split(document, "\n")
	for i := 0; i < len(lines); i++ {
		start := fenceStart.FindStringSubmatch(lines[i])
		if start == nil {
			continue
		}
		rest := lines[i+1:]
		length := fenceEnd(rest, start[2])
		if length < 0 {
			return nil, fmt.Errorf("line %d: the fenced block does not end", i+1)
		}
		mark, _, _ := strings.Cut(strings.TrimSpace(start[3]), " ")
		found = append(found, fence{line: i + 1, mark: mark, text: outdent(rest[:length], len(start[1]))})
		i += length + 1
	}
	return found, nil
}

// fenceEnd finds the line with at least as many of the same characters and
// nothing else.
func fenceEnd(lines []string, start string) int {
	return slices.IndexFunc(lines, func(line string) bool {
		line = strings.TrimSpace(line)
		return strings.HasPrefix(line, start) && strings.Trim(line, start[:1]) == ""
	})
}

// outdent removes the indentation of the whole block.
func outdent(lines []string, depth int) string {
	var text strings.Builder
	for _, line := range lines {
		indentation := len(line) - len(strings.TrimLeft(line, " \t"))
		text.WriteString(line[min(indentation, depth):] + "\n")
	}
	return text.String()
}

// ourNames are the names of the directive.
var ourNames = []string{"clusterdns", "kubernetes"}

// zoneOrPort matches the key of a server block or a zone of a plugin: a name with a dot, a
// CIDR, or a word with a port or a transport. It matches neither directives nor words of
// programming languages.
var zoneOrPort = regexp.MustCompile(`^(\w+://\S*|[\w*-]*([.]|:[:\da-f]|/\d)[\w.:/*${%}-]*),?$`)

// looksLikeCorefile reports whether a reader would try the text as a Corefile: a line opens
// a server block, or has our directive with its zones.
func looksLikeCorefile(text string) bool {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if i := slices.IndexFunc(words, isComment); i >= 0 {
			words = words[:i]
		}
		if opensServerBlock(words) || isOurDirective(words) {
			return true
		}
	}
	return false
}

func isComment(word string) bool { return strings.HasPrefix(word, "#") }

func opensServerBlock(words []string) bool {
	last := len(words) - 1
	return last > 0 && words[last] == "{" && areZones(words[:last])
}

// isOurDirective reports whether a line has our directive. It ignores the name alone, which
// may be in any list, and placeholders, as in "kubernetes [ZONES...] {".
func isOurDirective(words []string) bool {
	if len(words) < 2 || !slices.Contains(ourNames, words[0]) {
		return false
	}
	zones := words[1:]
	if last := len(zones) - 1; zones[last] == "{" {
		zones = zones[:last]
	}
	return areZones(zones)
}

func areZones(words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !zoneOrPort.MatchString(word) })
}
