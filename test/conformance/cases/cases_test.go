package cases

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

func load(t *testing.T) *Suite {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every case belongs to a listed test.
func TestSelection(t *testing.T) {
	found := map[string]int{}
	for _, c := range load(t).Cases {
		if strings.HasPrefix(c.ID, idPrefix) {
			found[c.Test]++
		}
	}
	if diff := cmp.Diff(Tests, found); diff != "" {
		t.Errorf("cases listed (-), in the data (+):\n%s", diff)
	}
}

func TestGroups(t *testing.T) {
	groups, err := load(t).Groups()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, g := range groups {
		found[g.Test] += len(g.Cases)
	}
	if diff := cmp.Diff(Tests, found); diff != "" {
		t.Errorf("cases listed (-), in groups (+):\n%s", diff)
	}
}

// Where the search path makes a name, the data has the name on the wire: the rule must give
// the same.
func TestWireName(t *testing.T) {
	searched := 0
	for _, c := range load(t).Cases {
		if c.WireQname == "" {
			if got := c.WireName(); got != c.Qname {
				t.Errorf("%s: %s on the wire, want %s", c.ID, got, c.Qname)
			}
			continue
		}
		searched++
		if got := c.searchName(); !dns.IsFqdn(c.Qname) && got != c.WireQname {
			t.Errorf("%s: %s on the wire, want %s", c.ID, got, c.WireQname)
		}
	}
	if searched == 0 {
		t.Error("no case with a search path")
	}
}
