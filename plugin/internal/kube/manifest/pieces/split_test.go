package pieces

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A long list comes in pieces, each with the number of lines before it; a short one whole.
func TestSplit(t *testing.T) {
	const text = "# a list\nkind: List\nitems:\n- a: 1\n  b: 2\n- a: 3\nend: 4\n---\nkind: Other\n"
	for whole, want := range map[int][]string{
		1 << 10: {"0 0 7", "0 7 2"},
		30:      {"2 0 3", "1 3 2", "1 5 1", "3 6 1", "0 7 2"},
	} {
		var got []string
		err := Split("a.yaml", strings.NewReader(text), whole, func(p Piece) error {
			got = append(got, fmt.Sprint(int(p.Part), p.Line, strings.Count(string(p.Text), "\n")))
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("part, lines before and lines of each piece above %d octets: %q, want %q (%v)", whole, got, want, err)
		}
	}
}

// White space, comments and marks between documents are no content.
func TestContent(t *testing.T) {
	for text, lacking := range map[string]string{
		"":                     "an empty file",
		" \n\t\n---\n":         "an empty file",
		"# nothing\n---\n":     "only comments",
		"--- # nothing\n...\n": "only comments",
		"---\na":               "",
	} {
		c := new(Content)
		_, _ = c.Write([]byte(text))
		if got := c.Lacking(); !strings.HasPrefix(got, lacking) || lacking == "" && got != "" {
			t.Errorf("%q lacks %q, want %q", text, got, lacking)
		}
	}
}
