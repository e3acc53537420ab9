package dnsname

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzDashed checks that every address has one label, that the label leads back to the
// address, and that every label that parses leads to an address.
func FuzzDashed(f *testing.F) {
	for _, seed := range []string{
		"10-0-0-1", "2001-db8--0", "2001-db8--", "--1", "--", "--0", "0--0", "1-2-3-4-5-6-7-8", "--ffff-a00-1", "10.0.0.1", "--10.0.0.1",
		"2001:db8::1", "fe80--1%eth0", "010-0-0-1", "1-2-3", "-", "", "FD00--A",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		a, ok := ParseDashed(label)
		if !ok {
			return
		}
		if a.Zone() != "" || a.Is4In6() || strings.Contains(label, ".") {
			t.Fatalf("%q became %s", label, a)
		}
		canonical := Dashed(a)
		if strings.HasSuffix(canonical, "-") || strings.ContainsAny(canonical, ".:") || len(canonical) > 63 {
			t.Fatalf("%s has the label %s", a, canonical)
		}
		if b, ok := ParseDashed(canonical); !ok || b != a {
			t.Fatalf("%s has the label %s, which is that of %s", a, canonical, b)
		}
	})
}

func TestDashed(t *testing.T) {
	for addr, want := range map[string]string{
		"10.0.0.1": "10-0-0-1", "2001:db8::": "2001-db8--0", "::1": "--1", "::": "--0", "2001:db8::1": "2001-db8--1",
		"1:2:3:4:5:6:7:8": "1-2-3-4-5-6-7-8", "1:0:0:2::": "1-0-0-2--0", "fd00::A": "fd00--a",
	} {
		if got := Dashed(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
