package differential

import (
	"flag"
	"fmt"
	"strings"
	"testing"
)

var differences = flag.String("differences", "../../doc/differences.md", "the `path` of the list of differences")

// answersHeading is the section whose entries are about answers.
const answersHeading = "## Answers"

// entry is a row of the list of differences.
type entry struct {
	number   string // D1 to D27, or empty
	question string
	stock    string
	ours     string
	why      string
}

func (e entry) String() string { return strings.TrimSpace(e.number + " " + e.question) }

func readEntries(t *testing.T) []entry {
	t.Helper()
	entries, err := parseEntries(readText(t, *differences))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// parseEntries reads the table of answers. The tables of other sections are about
// properties, which no question shows.
func parseEntries(text string) ([]entry, error) {
	_, text, found := strings.Cut(text, answersHeading+"\n")
	if !found {
		return nil, fmt.Errorf("no section %q", answersHeading)
	}
	section, _, _ := strings.Cut(text, "\n## ")
	var entries []entry
	for line := range strings.Lines(section) {
		cells, ok := parseRow(line)
		if !ok || strings.HasPrefix(cells[0], "-") || cells[0] == "#" {
			continue
		}
		if len(cells) != 5 {
			return nil, fmt.Errorf("%d cells, want 5: %s", len(cells), line)
		}
		entries = append(entries, entry{cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("no table in section %q", answersHeading)
	}
	return entries, nil
}

func parseRow(line string) (cells []string, ok bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil, false
	}
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells, true
}

// reasons are the matchers with the entries that they stand for.
type reasons struct {
	entries []entry
	byEntry map[int]*matcher
}

// newReasons finds the entry of each matcher. One without an entry explains
// nothing, and is an error.
func newReasons(entries []entry, matchers []matcher) (*reasons, []error) {
	r, errs := &reasons{entries: entries, byEntry: map[int]*matcher{}}, []error(nil)
	for i := range matchers {
		m := &matchers[i]
		at, err := findEntry(entries, m)
		if err == nil && r.byEntry[at] != nil {
			err = fmt.Errorf("two matchers for %q", entries[at])
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.byEntry[at] = m
	}
	return r, errs
}

// findEntry finds the only entry with the matcher's number whose question begins
// as the matcher says.
func findEntry(entries []entry, m *matcher) (int, error) {
	found := -1
	for i, e := range entries {
		if e.number != m.number || !strings.HasPrefix(e.question, m.question) {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("two entries begin with %s %q", m.number, m.question)
		}
		found = i
	}
	if found < 0 {
		return 0, fmt.Errorf("no entry begins with %s %q", m.number, m.question)
	}
	return found, nil
}

// explain returns the index of the entry that a difference belongs to. Aliases
// differ for the reason that what they lead to does.
func (r *reasons) explain(c *comparison) (entry int, ok bool) {
	if !c.echoes() {
		return 0, false
	}
	for i := range r.entries {
		if m := r.byEntry[i]; m != nil && m.matches(c) {
			return i, true
		}
	}
	if last, ok := c.atTheEnd(); ok {
		return r.explain(last)
	}
	return 0, false
}
