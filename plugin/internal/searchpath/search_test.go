package searchpath

import (
	"bytes"
	"strings"
	"testing"
)

// The numbered rules say what a server owes to stub resolvers. Rules about messages are
// tested where messages are made.

func standard(t testing.TB) *List {
	return NewPath(wire(t, origin), wires(t, "corp.example. lab.example."), 2).Standard()
}

// below returns a question from the Namespace app.
func below(base string) string { return base + ".app.svc." + origin }

func TestRule2AnExistingNameEndsTheWalk(t *testing.T) {
	c := clusterOf("web.shop")
	check(t, "a Service of another Namespace", stops(t, c, below("web.shop"), standard(t)), "web.shop.svc.cluster.local.")
	check(t, "the whole name", stops(t, c, below("web.shop.svc"), standard(t)), "web.shop.svc.cluster.local.")
	check(t, "with the domain", stops(t, c, below("web.shop.svc.cluster.local"), standard(t)), "web.shop.svc.cluster.local.")
}

func TestRule3EveryElementIsAskedFor(t *testing.T) {
	check(t, "an outside name", stops(t, clusterOf("web.shop"), below("www.example.com"), standard(t)),
		"www.example.com.corp.example. www.example.com.lab.example. www.example.com.")
}

func TestRule6OnlyBelowTheOwnSuffix(t *testing.T) {
	c := clusterOf("web.shop")
	for _, tc := range []struct{ title, name string }{
		{"the second element", "www.example.com.svc.cluster.local."},
		{"the third element", "www.example.com.cluster.local."},
		{"no Namespace", "www.example.com.nowhere.svc.cluster.local."},
		{"a Pod's name", "www.example.com.app.pod.cluster.local."},
		{"the suffix", "app.svc.cluster.local."},
		{"svc", "svc.cluster.local."},
		{"the zone", "cluster.local."},
		{"another zone", "www.example.com.app.svc.cluster.example."},
		{"an end that only looks like the zone", "www.example.com.app.svc.xcluster.local."},
		{"the root", "."},
	} {
		check(t, tc.title, stops(t, c, tc.name, standard(t)), "-")
	}
}

func TestRule7NamesMeantAsTheyStand(t *testing.T) {
	c := clusterOf("db.app pending.app! web.shop")
	for _, tc := range []struct{ title, base, want string }{
		{"a Service that is not there", "cache", "-"},
		{"a Service", "db", "-"},
		{"an endpoint of a Service", "db-0.db", "-"},
		{"an endpoint of a Service without any", "web-0.pending", "-"},
		{"a port of a Service", "_sql._tcp.db", "-"},
		{"a port without underscores", "sql.tcp.db", "-"},
		{"a port of a Service that is not there", "_sql._tcp.cache", ""},
		{"a topology zone", "eu-1.pin._zone.cache", ""},
		{"an underscore within a label", "a_b.example.com", ""},
		{"rule 15: a port of another Namespace", "_sql._tcp.web.shop", ""},
		{"like an endpoint of a Service that is not there", "web-0.cache",
			"web-0.cache.corp.example. web-0.cache.lab.example. web-0.cache."},
	} {
		check(t, tc.title, stops(t, c, below(tc.base), standard(t)), tc.want)
	}
}

func TestFewestLabelsOutside(t *testing.T) {
	p := NewPath(wire(t, origin), nil, 3)
	c := clusterOf("web.shop")
	check(t, "two labels", stops(t, c, below("web-0.cache"), p.Standard()), "")
	check(t, "two labels inside", stops(t, c, below("web.shop"), p.Standard()), "web.shop.svc.cluster.local.")
	check(t, "three labels", stops(t, c, below("www.example.com"), p.Standard()), "www.example.com.")
	few := NewPath(wire(t, origin), nil, 0)
	check(t, "one label is never enough", stops(t, c, below("example"), few.Standard()), "-")
}

func TestRule8Order(t *testing.T) {
	path := func(node string) *List { return NewPath(wire(t, origin), wires(t, node), 2).Standard() }
	for _, tc := range []struct{ title, node, want string }{
		{"no suffix of the node", "", "a.b."},
		{"the root as a suffix", ". corp.example.", "a.b. a.b.corp.example."},
		{"a suffix twice", "corp.example. CORP.example.", "a.b.corp.example. a.b."},
		{"a suffix of the cluster's", "cluster.local. svc.cluster.local.", "a.b."},
		{"an underscore", "_corp.example.", "a.b._corp.example. a.b."},
		{"more than six", "a. b. c. d. e. f. g. h.", "a.b.a. a.b.b. a.b.c. a.b.d. a.b.e. a.b.f. a.b.g. a.b.h. a.b."},
	} {
		check(t, tc.title, stops(t, clusterOf(""), below("a.b"), path(tc.node)), tc.want)
	}
}

func TestNamesOfTheClusterStayThere(t *testing.T) {
	for _, base := range []string{"no.shop.svc.cluster.local", "www.cluster.local", "no.shop.svc.CLUSTER.local"} {
		check(t, base, stops(t, clusterOf("web.shop"), below(base), standard(t)), "")
	}
}

// A name that only the server can decide, such as an alias that leads out of the zone, is
// looked up at its place in the path, whatever it looks like.
func TestUnclearNames(t *testing.T) {
	check(t, "alias", stops(t, clusterOf("web.shop"), below("alias.shop"), standard(t)),
		"alias.shop.svc.cluster.local. alias.shop.cluster.local. alias.shop.corp.example. alias.shop.lab.example. alias.shop.")
}

func TestRule13LetterCase(t *testing.T) {
	check(t, "upper case", stops(t, clusterOf("web.shop"), "WEB.Shop.APP.svc.Cluster.LOCAL.", standard(t)), "web.shop.svc.cluster.local.")
}

// No resolver asks for a name that is too long with its suffix.
func TestLongNames(t *testing.T) {
	label := strings.Repeat("a", 57)
	base := strings.Join([]string{label, label, label, "aaa"}, ".")
	long := strings.Repeat("b", 63) + ".example.example."
	l := NewPath(wire(t, origin), []string{wire(t, long), wire(t, "x.")}, 2).Standard()
	check(t, "one suffix is too long", stops(t, clusterOf(""), below(base), l), base+".x. "+base+".")
}

func TestParseRefusesWhatIsNoName(t *testing.T) {
	local := wire(t, origin)
	for _, name := range []string{"", "\x01", "\x00", local[1:], "\x40" + strings.Repeat("a", 64) + "\x03app\x03svc" + local,
		"\x01a\x00\x01b\x03app\x03svc" + local, "\x02a" + local, strings.Repeat("\x01a", 127) + local} {
		if _, ok := Parse([]byte(name), local); ok {
			t.Errorf("%q is taken for a searched name", name)
		}
	}
}

// A walk reports the position and the number of saved questions, for metrics.
func TestWalkTellsWhereItIs(t *testing.T) {
	q, _ := Parse([]byte(wire(t, below("www.example.com"))), wire(t, origin))
	var w Walk
	if !w.Begin(q, standard(t), clusterOf("")) {
		t.Fatal("not a searched name")
	}
	want := []struct {
		position Position
		saved    int
	}{{Node, 3}, {Node, 4}, {AsIs, 5}}
	for i := 0; w.Next(); i++ {
		if got := w.Suffix().Position; got != want[i].position || w.Saved() != want[i].saved {
			t.Errorf("%s: position %d saves %d", text(t, w.Name()), got, w.Saved())
		}
	}
}

// outcomeOf returns the outcome of a question as far as the cluster alone decides it.
func outcomeOf(w *Walk, q Question, l *List, c Cluster) Outcome {
	switch {
	case !w.Begin(q, l, c) || !w.Next():
		return Deny
	case w.Status() == Present:
		return Inside
	}
	return Ask
}

func TestComplete(t *testing.T) {
	c := clusterOf("web.shop db.app")
	for base, want := range map[string]Outcome{
		"web.shop":                      Inside,
		"web.shop.svc.cluster.local":    Inside,
		"nobody.shop.svc.cluster.local": Deny,
		"db-0.db":                       Deny,
		"_sql._tcp.cache":               Deny,
		"www.example.com":               Ask,
		"alias.shop":                    Ask,
	} {
		q, ok := Parse([]byte(wire(t, below(base))), wire(t, origin))
		var w Walk
		if got := outcomeOf(&w, q, standard(t), c); !ok || got != want {
			t.Errorf("%s: %d, want %d", base, got, want)
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	name, local, l := []byte(wire(t, below("www.example.com"))), wire(t, origin), standard(t)
	c, w := Cluster(elsewhere{}), new(Walk)
	n := testing.AllocsPerRun(100, func() {
		q, _ := Parse(name, local)
		if outcomeOf(w, q, l, c) != Ask {
			t.Fatal("not completed")
		}
		for w.Next() {
		}
	})
	if n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// elsewhere is a cluster without names.
type elsewhere struct{}

func (elsewhere) Taken(_, _ []byte) bool { return false }
func (elsewhere) Status(name []byte) Status {
	if bytes.HasSuffix(name, []byte("\x07cluster\x05local\x00")) {
		return Absent
	}
	return Elsewhere
}

func FuzzParse(f *testing.F) {
	local := wire(f, origin)
	f.Add([]byte(wire(f, below("www.example.com"))))
	f.Add([]byte(local))
	f.Fuzz(func(t *testing.T, name []byte) {
		q, ok := Parse(name, local)
		if !ok {
			return
		}
		rebuilt := string(name[:q.Base()]) + string([]byte{byte(len(q.Namespace()))}) + string(q.Namespace()) + svcLabel + local
		if rebuilt != string(name) || len(q.Service()) == 0 {
			t.Errorf("%q was taken apart into %q", name, rebuilt)
		}
		var w Walk
		for ok := w.Begin(q, standard(t), elsewhere{}); ok && w.Next(); {
			if !strings.HasPrefix(string(w.Name()), string(name[:q.Base()])) {
				t.Errorf("%q was completed to %q", name, w.Name())
			}
		}
	})
}
