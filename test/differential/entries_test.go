package differential

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
)

var differences = flag.String("differences", "../../doc/differences.md", "the `path` of the list of differences")

// sections are the sections with entries that questions and transfers show.
var sections = []struct{ heading, prefix string }{
	{"## Answers", ""}, {"## Beside the answers", ""}, {"## k8s_external", ofExternal},
}

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

// parseEntries reads the tables of the sections.
func parseEntries(text string) ([]entry, error) {
	var all []entry
	for _, s := range sections {
		_, section, found := strings.Cut(text, s.heading+"\n")
		if !found {
			return nil, fmt.Errorf("no section %q", s.heading)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		entries, err := parseTable(section)
		if err != nil {
			return nil, fmt.Errorf("section %q: %w", s.heading, err)
		}
		for i := range entries {
			entries[i].question = s.prefix + entries[i].question
		}
		all = append(all, entries...)
	}
	return all, nil
}

func parseTable(section string) ([]entry, error) {
	var entries []entry
	headed := false
	for line := range strings.Lines(section) {
		cells, ok := parseRow(line)
		if !ok || !headed {
			headed = ok && strings.HasPrefix(cells[0], "-")
			continue
		}
		if len(cells) != 5 {
			return nil, fmt.Errorf("%d cells, want 5: %s", len(cells), line)
		}
		entries = append(entries, entry{cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	if len(entries) == 0 {
		return nil, errors.New("no table")
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

// reasons are the matchers with their entries.
type reasons struct {
	entries   []entry
	byEntry   map[int]*matcher
	transfers []int // the entries of the matchers of transfers
	beside
}

// newReasons finds the entry of each matcher. A matcher without an entry explains nothing,
// and is an error.
func newReasons(entries []entry, matchers []matcher) (*reasons, []error) {
	r, errs := &reasons{entries: entries, byEntry: map[int]*matcher{}}, []error(nil)
	for i := range matchers {
		m := &matchers[i]
		at, err := findEntry(entries, m.number, m.question)
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

// beside are entries whose differences occur together with others.
type beside struct {
	retimed  int // TTLs outside
	recased  int // letter case outside
	repeated int // aliases of Services with several ports
	lowered  int // letter case in denials of searched names
	doubled  int // aliases that are searched for
}

func (b *beside) all() []int { return []int{b.retimed, b.recased, b.repeated, b.lowered, b.doubled} }

// addBeside finds those entries.
func (r *reasons) addBeside() error {
	var errs [5]error
	r.retimed, errs[0] = findEntry(r.entries, "D22", ofExternal+"TTL of SRV and CNAME records")
	r.recased, errs[1] = findEntry(r.entries, "", ofExternal+"letter case of the zone")
	r.lowered, errs[2] = findEntry(r.entries, "", "letter case of a searched name")
	r.doubled, errs[3] = findEntry(r.entries, "", "an ExternalName with `autopath @kubernetes`")
	r.repeated, errs[4] = findEntry(r.entries, "", ofExternal+"Service with a hostname and several ports")
	return errors.Join(errs[:]...)
}

// addTransfers finds the entries of the matchers of transfers, some of which have
// a matcher of questions too.
func (r *reasons) addTransfers(matchers []transferMatcher) error {
	var failed error
	for _, m := range matchers {
		at, err := findEntry(r.entries, m.number, m.question)
		failed = errors.Join(failed, err)
		r.transfers = append(r.transfers, at)
	}
	return failed
}

// findEntry finds the only entry with the number whose question begins as given.
func findEntry(entries []entry, number, question string) (int, error) {
	found := -1
	question, whole := strings.CutSuffix(question, " |") // the whole cell
	for i, e := range entries {
		if e.number != number || !strings.HasPrefix(e.question, question) || whole && e.question != question {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("two entries begin with %s %q", number, question)
		}
		found = i
	}
	if found < 0 {
		return 0, fmt.Errorf("no entry begins with %s %q", number, question)
	}
	return found, nil
}

// corrected returns the comparison without an outside difference that may occur together
// with others, and the entry about it.
func (r *reasons) corrected(c *comparison) (fixed *comparison, entry int, ok bool) {
	if fixed, ok := c.recased(); ok {
		return fixed, r.recased, true
	}
	if fixed, ok := c.retimed(); ok {
		return fixed, r.retimed, true
	}
	if fixed, ok := c.unrepeated(); ok {
		return fixed, r.repeated, true
	}
	return nil, 0, false
}

// explain returns the index of the entry that explains a difference. Answers with aliases
// differ for the same reason as those of the targets.
func (r *reasons) explain(c *comparison) (entry int, ok bool) {
	if !c.echoes() {
		return 0, false
	}
	if fixed, reason, ok := r.corrected(c); ok {
		if !fixed.differs() {
			return reason, true
		}
		return r.explain(fixed)
	}
	for i := range r.entries {
		if m := r.byEntry[i]; m != nil && m.about(c) && m.matches(c) {
			return i, true
		}
	}
	if fixed, ok := c.undotted(); ok {
		return r.explain(fixed)
	}
	if low, ok := c.inLowerCase(); ok {
		if !low.differs() {
			return r.lowered, true
		}
		return r.explain(low)
	}
	if at, ok := c.afterSearch(); ok {
		if at == nil {
			return r.doubled, true
		}
		return r.explain(at)
	}
	if last, ok := c.atTheEnd(); ok {
		return r.explain(last)
	}
	return 0, false
}
