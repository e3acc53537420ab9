package queries

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

var small = refcluster.Shape{Seed: 1, Namespaces: 2, Services: 20, Headless: 4, Endpoints: 220, Largest: 30}

// The oracle confirms what the name of each set promises about its questions.
func TestSetsAskForWhatTheySay(t *testing.T) {
	o := oracle.New(small)
	wants := map[string]func(oracle.Answer) bool{
		"service-a":     func(a oracle.Answer) bool { return len(a.Data) == 1 },
		"service-aaaa":  func(a oracle.Answer) bool { return len(a.Data) == 0 && a.Rcode == dns.RcodeSuccess },
		"headless-10":   func(a oracle.Answer) bool { return len(a.Data) == 10 },
		"headless-1000": func(a oracle.Answer) bool { return len(a.Data) == small.Largest },
		"srv":           func(a oracle.Answer) bool { return len(a.Data) == 1 },
		"ptr":           func(a oracle.Answer) bool { return len(a.Data) == 1 },
		"nxdomain":      func(a oracle.Answer) bool { return a.Rcode == dns.RcodeNameError },
		"mix":           func(oracle.Answer) bool { return true },
		"outside":       func(a oracle.Answer) bool { return len(a.Data) == 1 },
	}
	for _, set := range Sets(small, o) {
		if len(set.Questions) == 0 || wants[set.Name] == nil {
			t.Errorf("%s: %d questions", set.Name, len(set.Questions))
			continue
		}
		for _, q := range set.Questions {
			if answer := o.Lookup(q.Name, q.Type); !wants[set.Name](answer) {
				t.Errorf("%s: %s: %v", set.Name, q, answer)
			}
		}
	}
}

func TestMixHasItsParts(t *testing.T) {
	o := oracle.New(small)
	sets, err := Choose(Sets(small, o), "mix")
	if err != nil {
		t.Fatal(err)
	}
	negative, outside := 0, 0
	for _, q := range sets[0].Questions {
		if o.Lookup(q.Name, q.Type).Rcode == dns.RcodeNameError {
			negative++
		}
		if dns.IsSubDomain(oracle.Outside, q.Name) {
			outside++
		}
	}
	if n := len(sets[0].Questions); negative != n*60/100 || outside != n*5/100 {
		t.Errorf("%d of %d are NXDOMAIN, %d outside", negative, n, outside)
	}
}

func TestChoose(t *testing.T) {
	all := []Set{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for names, want := range map[string]int{"": 3, "a": 1, "c,a": 2} {
		if got, err := Choose(all, names); err != nil || len(got) != want || got[0].Name != "a" {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
	if _, err := Choose(all, "a,x"); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("unknown set: error %v", err)
	}
}

func TestWriteAndPick(t *testing.T) {
	set := Set{Questions: []Question{{"a.example.", dns.TypeA}, {"b.example.", dns.TypeSRV}, {"c.example.", dns.TypePTR}}}
	var text strings.Builder
	if err := set.Write(&text); err != nil || text.String() != "a.example. A\nb.example. SRV\nc.example. PTR\n" {
		t.Errorf("%q, %v", text.String(), err)
	}
	if got := set.Pick(2); len(got) != 2 || got[0] == got[1] {
		t.Errorf("picked %v", got)
	}
	if got := set.Pick(9); len(got) != 3 {
		t.Errorf("picked %v", got)
	}
}
