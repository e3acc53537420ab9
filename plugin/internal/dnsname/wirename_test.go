package dnsname

import (
	"testing"

	"github.com/miekg/dns"
)

// FuzzWireName compares names in reused memory with names in memory of their own.
func FuzzWireName(f *testing.F) {
	for _, seed := range wireSeeds {
		f.Add([]byte(seed))
	}
	var w WireName
	f.Fuzz(func(t *testing.T, wire []byte) {
		end, ok := w.Parse(wire)
		want, err := ParseWire(wire[:min(end, len(wire))])
		if ok != (err == nil) {
			t.Fatalf("%q: a name: %v, but %v", wire, ok, err)
		}
		if !ok {
			return
		}
		n := w.Name()
		if n.Wire() != want.Wire() || string(w.Wire()) != want.Wire() || w.HasUpper() != hasUpper(want.String()) {
			t.Fatalf("%q became %q, want %q", wire, n.Wire(), want.Wire())
		}
		checkLabels(t, n)
		text, plain := w.AppendText(nil)
		lower := spell([]byte(want.Wire()))
		if plain && string(text) != lower && lower != "." {
			t.Fatalf("%q is written %s, want %s", wire, text, lower)
		}
	})
}

// FuzzParseText compares a name in reused memory with one in memory of its own.
func FuzzParseText(f *testing.F) {
	for _, seed := range nameSeeds {
		f.Add(seed)
	}
	var w WireName
	f.Fuzz(func(t *testing.T, text string) {
		want, theirs := Parse(text)
		n, err := w.ParseText(text)
		if (err == nil) != (theirs == nil) {
			t.Fatalf("%q: %v, want %v", text, err, theirs)
		}
		if err != nil {
			return
		}
		if n.text != want.text || n.folded != want.folded || n.count != want.count || string(w.Wire()) != want.folded {
			t.Fatalf("%q became %q %q with %d labels, want %q %q with %d", text, n.text, w.Wire(), n.count, want.text, want.folded, want.count)
		}
		if same, err := Parse(dns.Name(text).String()); err == nil && same.folded != n.folded {
			t.Fatalf("%q became %q, want %q", text, n.folded, same.folded)
		}
		checkLabels(t, n)
	})
}

// The text does not contain the octet that an escape spells, so it is copied into the
// name's memory.
func TestWireAfterAnEscape(t *testing.T) {
	var w WireName
	for text, upper := range map[string]bool{"WWW.Example.org.": true, `a\046b.example.org.`: false, "x.org": false, `a\065.org.`: true} {
		n, err := w.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		if string(w.Wire()) != n.Wire() || w.HasUpper() != upper {
			t.Errorf("%s: %q with capital letters: %v, want %q", text, w.Wire(), w.HasUpper(), n.Wire())
		}
	}
}
