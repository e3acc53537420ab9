package dnsname

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// wireSeeds are names in wire form, good and bad.
var wireSeeds = []string{
	"\x00", "", "\x01", "\x01a", "\x01a\x00", "\x01a\x00\x00", "\xc0\x00", "\x01a\xc0\x00", "\x40", "\x80\x00",
	"\x0aKUBERnetes\x07Default\x03SVC\x07Cluster\x05Local\x00",
	"\x06_https\x04_tcp\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x0810.0.0.1\x07default\x03pod\x07cluster\x05local\x00",
	"\x011\x010\x013\x0210\x07in-addr\x04arpa\x00", "\x01G\x03IP6\x04arpa\x00",
	"\x0c\x04arpa\x00\x07cluster\x05local\x00", "\x03a.b\x02\\.\x01\xff\x05local\x00", "\xe2\x84\xaa\x00", "\x04\x00\x1f\x7f \x00",
	strings.Repeat("\x01a", 127) + "\x00", strings.Repeat("\x01a", 128) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3d" + strings.Repeat("b", 61) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3e" + strings.Repeat("b", 62) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("\xff", 63), 3) + "\x3d" + strings.Repeat("\xff", 61) + "\x00",
}

// FuzzParseWire compares our parser with that of miekg/dns, which is less strict in two
// ways: it follows compression pointers, and it ignores what comes after the name.
func FuzzParseWire(f *testing.F) {
	for _, seed := range wireSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		n, err := ParseWire(wire)
		text, end, theirs := dns.UnpackDomainName(wire, 0)
		want := theirs == nil && end == len(wire) && !pointed(wire)
		if (err == nil) != want {
			t.Fatalf("%q: %v, want a name: %v", wire, err, want)
		}
		if err != nil {
			return
		}
		if n.String() != text {
			t.Fatalf("%q became %s, want %s", wire, n.String(), text)
		}
		if folded := asciiLower(wire); n.folded != string(folded) {
			t.Fatalf("%q folded to %q", wire, n.folded)
		}
		checkLabels(t, &n)
		again, err := Parse(n.String())
		if err != nil || again != n {
			t.Fatalf("%q: %v when parsed again", wire, err)
		}
	})
}

// pointed reports whether a name ends in a compression pointer.
func pointed(wire []byte) bool {
	for i := 0; i < len(wire) && wire[i] > 0; i += 1 + int(wire[i]) {
		if wire[i] >= 0xc0 {
			return true
		}
	}
	return false
}

// asciiLower also folds length octets, which changes nothing: the largest one, 63, is
// smaller than the code of any capital letter.
func asciiLower(wire []byte) []byte {
	folded := bytes.Clone(wire)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return folded
}

// checkLabels rebuilds a name from its parts and compares.
func checkLabels(t *testing.T, n *Name) {
	t.Helper()
	wire := ""
	for i := range n.Labels() {
		wire += string(rune(len(n.Label(i)))) + n.Label(i)
		if text := unpacked(t, wire[len(wire)-1-len(n.Label(i)):]+"\x00"); n.LabelText(i)+"." != text {
			t.Fatalf("label %d of %q is written %s, want %s", i, n.folded, n.LabelText(i), text)
		}
	}
	if wire+"\x00" != n.folded {
		t.Fatalf("%q is not made of its labels: %q", n.folded, wire)
	}
	for i := range n.Labels() + 1 {
		suffix := n.suffix(i)
		if n.folded[:n.Offset(i)]+suffix != n.folded || dns.CountLabel(unpacked(t, suffix)) != i {
			t.Fatalf("%q is not the last %d labels of %q", suffix, i, n.folded)
		}
	}
}

func unpacked(t *testing.T, wire string) string {
	t.Helper()
	text, _, err := dns.UnpackDomainName([]byte(wire), 0)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const longLabel = "123456789-123456789-123456789-123456789-123456789-123456789-123"

var nameSeeds = []string{
	"", ".", "..", "a", "a.", "a..b", ".a", `a\.b.c`, `\097b`, `\`, `a\`, `a\\`, `\256`, `\1`, `\12`, `\..`, `\046.`, `.\046`, `a\.`, "a b",
	"a@b;(c)\"d'", "Ä.example.", "K.example", `\000\031\127\255.`,
	"kubernetes.default.svc.cluster.local", "_https._tcp.KUBERNETES.default.svc.cluster.local.",
	longLabel, longLabel + "x", "x" + longLabel, longLabel + ".", longLabel + "x.",
	longLabel + "." + longLabel + "." + longLabel + "." + longLabel[2:], longLabel + "." + longLabel + "." + longLabel + "." + longLabel[1:],
	strings.Repeat("a.", 127), strings.Repeat("a.", 128), strings.Repeat(`\001.`, 127),
}

// FuzzParse compares a name parsed from text with miekg/dns and with the same name parsed
// from wire form.
func FuzzParse(f *testing.F) {
	for _, seed := range nameSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		wire := make([]byte, 256)
		end, theirs := dns.PackDomainName(dns.Fqdn(text), wire, 0, nil, false)
		if want := theirs == nil && end <= 255; (err == nil) != want {
			t.Fatalf("%q: %v, want a name: %v", text, err, want)
		}
		if err != nil {
			return
		}
		again, err := ParseWire(wire[:end])
		if err != nil || again != n {
			t.Fatalf("%q is %s as text, %s as wire: %v", text, n.String(), again.String(), err)
		}
		o, err := ParseOrigin(text)
		if err != nil || !o.Encloses(&n) || !strings.EqualFold(o.Spelled(&n), o.String()) || o.Spelled(&n) != n.String() {
			t.Fatalf("%q as an origin is %s: %v", text, o, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const text = "service-1.ns-1.svc.cluster.local."
	wire := make([]byte, MaxWire)
	end, err := dns.PackDomainName(text, wire, 0, nil, false)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Wire", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseWire(wire[:end]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestTooLong(t *testing.T) {
	long := strings.Repeat("x", 63) + "."
	for text, want := range map[string]bool{
		"": false, ".": false, "a..b": false, // what is no name is not too long for one
		strings.Repeat(long, 3) + strings.Repeat("x", 61) + ".":    false,
		strings.Repeat(long, 3) + strings.Repeat("x", 62) + ".":    true,
		strings.Repeat(long, 4):                                    true,
		strings.Repeat(`\120`, 63) + "." + strings.Repeat(long, 2): false,
	} {
		if got := TooLong(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
