package dnsname

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A reverse name leads back to its address, and the names above it to prefixes of the
// address.
func TestReversePrefix(t *testing.T) {
	for _, text := range []string{"10.0.0.1", "255.250.0.9", "0.0.0.0", "2001:db8::1", "::", "fd00::a:b0c"} {
		a := netip.MustParseAddr(text)
		name, err := dns.ReverseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		for labels := dns.CountLabel(name); labels >= 2; labels-- {
			n, err := Parse(name)
			if err != nil || !n.IsReverse() {
				t.Fatalf("%s: %v", name, err)
			}
			got, ok := ReversePrefix(&n)
			bits := (labels - 2) * a.BitLen() / map[int]int{32: 4, 128: 32}[a.BitLen()]
			if want := netip.PrefixFrom(a, bits); !ok || got != want.Masked() {
				t.Errorf("%s: %v, want %v", name, got, want.Masked())
			}
			next, _ := dns.NextLabel(name, 0)
			name = name[next:]
		}
	}
}

func TestNoReversePrefix(t *testing.T) {
	for _, text := range []string{
		"256.in-addr.arpa.", "01.in-addr.arpa.", "+1.in-addr.arpa.", "x.in-addr.arpa.", "5.4.3.2.1.in-addr.arpa.", "g.ip6.arpa.", "00.ip6.arpa.",
	} {
		n, err := Parse(text)
		if err != nil || !n.IsReverse() {
			t.Fatalf("%s: %v", text, err)
		}
		if p, ok := ReversePrefix(&n); ok {
			t.Errorf("%s became %s", text, p)
		}
	}
	for _, text := range []string{"arpa.", ".", "in-addr.", `x\007in-addr.arpa.`, "in-addr.arpa.cluster.local."} {
		if n, err := Parse(text); err != nil || n.IsReverse() {
			t.Errorf("%s is a reverse name: %v", text, err)
		}
	}
}

// A6: an IPv4-mapped IPv6 address is the IPv4 address in ip6.arpa too.
func TestA6MappedReversePrefix(t *testing.T) {
	name := "2.0.0.0.0.6.a.0.f.f.f.f." + strings.Repeat("0.", 20) + "ip6.arpa."
	for _, want := range []string{
		"10.96.0.2/32", "10.96.0.0/28", "10.96.0.0/24", "10.96.0.0/20", "10.96.0.0/16", "10.96.0.0/12", "10.0.0.0/8", "0.0.0.0/4", "0.0.0.0/0", "::fff0:0:0/92", "::ff00:0:0/88",
	} {
		n, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ReversePrefix(&n); !ok || got.String() != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
		name = name[2:]
	}
}
