package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// shown is how many unexplained differences of each kind are printed.
const shown = 3

// tally counts the outcomes of all questions.
type tally struct {
	*reasons
	mu          sync.Mutex
	began       time.Time
	questions   map[run]int
	order       []run
	explained   map[int]int // by entry
	unexplained map[string][]*comparison
	tooWide     map[string]bool // matchers with differences that they should not explain
}

// run is a Corefile with the path that our server used.
type run struct{ corefile, path string }

// overTCP is the path that transfers count for, because they have no other.
const overTCP = "TCP"

func newTally(r *reasons) *tally {
	return &tally{
		reasons: r, began: time.Now(), questions: map[run]int{}, explained: map[int]int{},
		unexplained: map[string][]*comparison{}, tooWide: map[string]bool{},
	}
}

// add adds the counts of one client under a Corefile, on a path.
func (t *tally) add(name, path string, questions int, explained map[int]int) {
	r := run{name, path}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.questions[r]; !ok {
		t.order = append(t.order, r)
	}
	t.questions[r] += questions
	for entry, n := range explained {
		t.explained[entry] += n
	}
}

// judgeTransfer counts a transfer, and fails the test if ours is not what the matchers
// expect from stock's.
func (t *tally) judgeTransfer(tb testing.TB, c *pulled) {
	tb.Helper()
	by, want := c.explain()
	if !want.equal(c.ours) {
		tb.Errorf("%s of %s\n  stock, explained: %s\n  ours: %s", dns.Type(c.qtype), c.zone, want.minus(c.ours), c.ours.minus(want))
	}
	explained := map[int]int{}
	for _, i := range by {
		explained[t.transfers[i]]++
	}
	t.add(c.name, overTCP, 1, explained)
}

// reject records a difference that no entry explains.
func (t *tally) reject(c *comparison) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kind := c.kind()
	t.unexplained[kind] = append(t.unexplained[kind], c)
}

// overlook records differences that matchers explain although they should not.
func (t *tally) overlook(kinds []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, kind := range kinds {
		t.tooWide[kind] = true
	}
}

// kind returns a text that is the same for differences with probably the same cause.
func (c *comparison) kind() string {
	return fmt.Sprintf("stock %s, ours %s", c.stock.outline(), c.ours.outline())
}

func (r *reply) outline() string {
	if r.problem != nil {
		return r.problem.Error()
	}
	chosen := flags{aa: r.flags.aa, tc: r.flags.tc, ra: r.flags.ra, ad: r.flags.ad}
	return fmt.Sprintf("%s [%s] %s/%s/%s", dns.RcodeToString[r.rcode], chosen,
		rrtypes(r.msg.Answer), rrtypes(r.msg.Ns), rrtypes(r.msg.Extra))
}

// rrtypes returns the types in a section.
func rrtypes(rrs []dns.RR) string {
	var names []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			names = append(names, dns.Type(rr.Header().Rrtype).String())
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "+")
}

// fewest is how many questions must have been compared on each path for a meaningful
// result.
const fewest = 100_000

func (t *tally) judgeCount(tb testing.TB, paths ...string) {
	tb.Helper()
	total := t.total()
	for _, path := range paths {
		if total[path] < fewest {
			tb.Errorf("%s: %d questions compared, want at least %d", path, total[path], fewest)
		}
	}
}

// total returns the number of questions by path.
func (t *tally) total() map[string]int {
	total := map[string]int{}
	for r, n := range t.questions {
		total[r.path] += n
	}
	return total
}

// report prints the numbers.
func (t *tally) report(tb testing.TB) {
	tb.Helper()
	var b strings.Builder
	for _, r := range t.order {
		fmt.Fprintf(&b, "%10d  %s, %s\n", t.questions[r], r.corefile, r.path)
	}
	tb.Logf("seed %d: %v questions compared in %s:\n%s", *seed, t.total(), time.Since(t.began).Round(100*time.Millisecond), b.String())
	b.Reset()
	for i, e := range t.entries {
		if t.explained[i] > 0 {
			fmt.Fprintf(&b, "%10d  %s\n", t.explained[i], e)
		}
	}
	tb.Logf("differences by reason:\n%s", b.String())
}

// meant reports whether some question or transfer should show an entry.
func (r *reasons) meant(entry int) bool {
	return r.byEntry[entry] != nil || slices.Contains(r.transfers, entry) || slices.Contains(r.all(), entry)
}

// judgeMatchers fails the test for every matcher that was never needed: it may be wrong, or
// the difference is gone.
func (t *tally) judgeMatchers(tb testing.TB) {
	tb.Helper()
	for i, e := range t.entries {
		if t.explained[i] == 0 && t.meant(i) {
			tb.Errorf("no question has met the entry %q", e)
		}
	}
}

// judge fails the test for every kind of unexplained difference, and prints the first ones
// of each kind.
func (t *tally) judge(tb testing.TB) {
	tb.Helper()
	for _, kind := range slices.Sorted(maps.Keys(t.tooWide)) {
		tb.Errorf("a matcher explains too much: %s", kind)
	}
	for _, kind := range slices.Sorted(maps.Keys(t.unexplained)) {
		list := t.unexplained[kind]
		names := map[string][]*comparison{}
		for _, c := range list {
			names[c.q.lower()] = append(names[c.q.lower()], c)
		}
		tb.Errorf("not in %s, %d times, of %d names: %s", *differences, len(list), len(names), kind)
		for i, name := range slices.Sorted(maps.Keys(names)) {
			if c := names[name][0]; i < shown {
				tb.Logf("%s: %s\n  stock: %s\n  ours:  %s", c.name, c.q, c.stock, c.ours)
			} else {
				tb.Logf("%s: %s, %d times", c.name, c.q, len(names[name]))
			}
		}
	}
}
