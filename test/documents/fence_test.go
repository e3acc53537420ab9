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
	mark string // the language that it says it is in
	text string
}

// fenceStart are the indentation, which a list may have, the characters of the
// fence, and what the block is marked as.
var fenceStart = regexp.MustCompile("^((?:[ \t]|[-*+][ \t])*)(`{3,}|~{3,})([^`]*)$")

// fences follows CommonMark, section 4.5. It takes a block that does not end for
// an error: the blocks behind it would be read inside out.
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

// outdent takes away the indentation that the block has as a whole.
func outdent(lines []string, depth int) string {
	var text strings.Builder
	for _, line := range lines {
		indentation := len(line) - len(strings.TrimLeft(line, " \t"))
		text.WriteString(line[min(indentation, depth):] + "\n")
	}
	return text.String()
}

// ourNames are the directives that the plugin has.
var ourNames = []string{"clusterdns", "kubernetes"}

// zoneOrPort is a word that is a server block's key, or a zone of a plugin: a
// name with a dot, a CIDR, or something with a port or a transport. Neither a
// directive nor a word of a programming language is.
var zoneOrPort = regexp.MustCompile(`^(\w+://\S*|[\w*-]*([.]|:[:\da-f]|/\d)[\w.:/*${%}-]*),?$`)

// looksLikeCorefile reports whether somebody would try the text as a Corefile: a
// line opens a server block, or has our directive with its zones.
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

// isOurDirective leaves out the name alone, which may stand in any list, and
// what a manual writes for any zone, as in "kubernetes [ZONES...] {".
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
