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

// shown is how many differences that nothing explains are printed, of each kind.
const shown = 3

// tally counts what all questions came to.
type tally struct {
	*reasons
	mu          sync.Mutex
	began       time.Time
	questions   map[string]int // by Corefile
	order       []string       // of Corefiles
	explained   map[int]int    // by entry
	unexplained map[string][]*comparison
	tooWide     map[string]bool // matchers with what they should not explain
}

func newTally(r *reasons) *tally {
	return &tally{
		reasons: r, began: time.Now(), questions: map[string]int{}, explained: map[int]int{},
		unexplained: map[string][]*comparison{}, tooWide: map[string]bool{},
	}
}

// add takes what one client has seen under a Corefile.
func (t *tally) add(name string, questions int, explained map[int]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.questions[name]; !ok {
		t.order = append(t.order, name)
	}
	t.questions[name] += questions
	for entry, n := range explained {
		t.explained[entry] += n
	}
}

// reject takes a difference that no entry explains.
func (t *tally) reject(c *comparison) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kind := c.kind()
	t.unexplained[kind] = append(t.unexplained[kind], c)
}

// overlook takes what matchers explain although they should not.
func (t *tally) overlook(kinds []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, kind := range kinds {
		t.tooWide[kind] = true
	}
}

// kind is what differences have in common that probably have one cause.
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

// rrtypes are the types in a section.
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

// report prints the numbers.
func (t *tally) report(tb testing.TB) {
	tb.Helper()
	var b strings.Builder
	total := 0
	for _, name := range t.order {
		fmt.Fprintf(&b, "%10d  %s\n", t.questions[name], name)
		total += t.questions[name]
	}
	tb.Logf("seed %d: %d questions compared in %s:\n%s", *seed, total, time.Since(t.began).Round(100*time.Millisecond), b.String())
	b.Reset()
	for i, e := range t.entries {
		if t.explained[i] > 0 {
			fmt.Fprintf(&b, "%10d  %s\n", t.explained[i], e)
		}
	}
	tb.Logf("differences by reason:\n%s", b.String())
	b.Reset()
	for i, e := range t.entries {
		if t.explained[i] == 0 {
			fmt.Fprintf(&b, "            %s\n", e)
		}
	}
	tb.Logf("never met:\n%s", b.String())
}

// judge fails the test for every kind of difference that nothing explains, and
// shows the first of each name.
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
