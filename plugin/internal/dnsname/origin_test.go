package dnsname

import "testing"

func parseOrigin(t *testing.T, text string) Origin {
	t.Helper()
	o, err := ParseOrigin(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A zone is told from a name that ends in the same octets, and letter case does not count.
func TestEncloses(t *testing.T) {
	for _, tc := range []struct {
		zone, name string
		want       bool
	}{
		{".", ".", true},
		{".", "org.", true},
		{"org.", ".", false},
		{"org.", "org.", true},
		{"Org.", "example.oRG.", true},
		{"example.org.", "org.", false},
		{"example.org.", "anexample.org.", false},
		{"org.", `a\003org.`, false}, // the last label ends as the zone does in wire form
		{"org.", `a\.org.`, false},
		{`a\.b.org.`, `x.a\.b.org.`, true},
		{`a\.b.org.`, "x.a.b.org.", false},
	} {
		zone, other := parseOrigin(t, tc.zone), parseOrigin(t, tc.name)
		n, err := Parse(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := zone.Encloses(&n); got != tc.want {
			t.Errorf("%s encloses the name %s: %v", tc.zone, tc.name, got)
		}
		if got := zone.EnclosesOrigin(other); got != tc.want {
			t.Errorf("%s encloses the zone %s: %v", tc.zone, tc.name, got)
		}
	}
}

func TestZones(t *testing.T) {
	zones := ParseZones([]string{"org", "a..b", "example.org", "net"})
	if len(zones) != 3 {
		t.Errorf("%d zones, want those that are names", len(zones))
	}
	for text, want := range map[string]int{"com.": -1, "org.": 1, "www.Example.org.": 2, "www.example.net.": 1} {
		n, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := zones.Longest(&n); got != want || zones.Enclose(&n) != (want >= 0) {
			t.Errorf("%s: the longest zone has %d labels, want %d", text, got, want)
		}
	}
	n, err := Parse("org.")
	if err != nil {
		t.Fatal(err)
	}
	if Zones(nil).Enclose(&n) {
		t.Error("no zones enclose a name")
	}
}

// The root zone has a name in words, since a dot in a sentence would end it.
func TestInWords(t *testing.T) {
	for text, want := range map[string]string{".": "the root zone", "Example.org": "the zone example.org."} {
		if got := parseOrigin(t, text).InWords(); got != want {
			t.Errorf("%s in words: %q, want %q", text, got, want)
		}
	}
}
