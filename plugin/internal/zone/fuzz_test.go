package zone

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// wireSeeds are names in wire form, good and bad.
var wireSeeds = []string{
	"\x00", "", "\x01", "\x01a", "\x01a\x00", "\x01a\x00\x00", "\xc0\x00", "\x01a\xc0\x00", "\x40", "\x80\x00",
	"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00",
	"\x0aKUBERnetes\x07Default\x03SVC\x07Cluster\x05Local\x00",
	"\x06_https\x04_tcp\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x01_\x04_tcp\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x0a2001-db8--\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x0710-0-0-1\x07default\x03pod\x07cluster\x05local\x00",
	"\x0810.0.0.1\x07default\x03pod\x07cluster\x05local\x00",
	"\x02z1\x03Pin\x05_Zone\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x01h\x04East\x02db\x07default\x03svc\x0aclusterset\x05local\x00",
	"\x011\x010\x013\x0210\x07in-addr\x04arpa\x00", "\x03256\x07in-addr\x04arpa\x00", "\x09x\x07in-addr\x04arpa\x00",
	"\x018\x01b\x01d\x010\x011\x010\x010\x012\x03ip6\x04arpa\x00", "\x01G\x03IP6\x04arpa\x00",
	"\x0c\x04arpa\x00\x07cluster\x05local\x00", "\x03a.b\x02\\.\x01\xff\x05local\x00", "\xe2\x84\xaa\x00",
	strings.Repeat("\x01a", 127) + "\x00", strings.Repeat("\x01a", 128) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3d" + strings.Repeat("b", 61) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3e" + strings.Repeat("b", 62) + "\x00",
}

// FuzzParseWire holds our parser to that of miekg/dns, which is laxer in two
// ways: it follows compression pointers, and it stops reading after the name.
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
		again, err := ParseName(n.String())
		if err != nil || again != n {
			t.Fatalf("%q: %v when parsed again", wire, err)
		}
	})
}

// pointed says whether a name ends in a compression pointer.
func pointed(wire []byte) bool {
	for i := 0; i < len(wire) && wire[i] > 0; i += 1 + int(wire[i]) {
		if wire[i] >= 0xc0 {
			return true
		}
	}
	return false
}

// asciiLower folds length octets too, which does not matter: no label is as long
// as an upper case letter is high.
func asciiLower(wire []byte) []byte {
	folded := bytes.Clone(wire)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return folded
}

// checkLabels puts a name together from its parts.
func checkLabels(t *testing.T, n *Name) {
	t.Helper()
	wire := ""
	for i := range n.count {
		wire += string(rune(len(n.label(i)))) + n.label(i)
	}
	if wire+"\x00" != n.folded {
		t.Fatalf("%q is not made of its labels: %q", n.folded, wire)
	}
	for i := range n.count + 1 {
		if tail := n.tail(i); !strings.HasSuffix(n.folded, tail) || dns.CountLabel(unpacked(t, tail)) != i {
			t.Fatalf("%q is not the last %d labels of %q", tail, i, n.folded)
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

// FuzzParseText holds a name in the memory of another to one in memory of its own.
func FuzzParseText(f *testing.F) {
	for _, seed := range nameSeeds {
		f.Add(seed)
	}
	var q Question
	f.Fuzz(func(t *testing.T, text string) {
		want, theirs := ParseName(dns.Name(text).String())
		n, err := q.ParseText(text)
		if (err == nil) != (theirs == nil) {
			t.Fatalf("%q: %v, want %v", text, err, theirs)
		}
		if err != nil {
			return
		}
		if n.text != want.text || n.folded != want.folded || n.count != want.count {
			t.Fatalf("%q became %q %q with %d labels, want %q %q with %d", text, n.text, n.folded, n.count, want.text, want.folded, want.count)
		}
		checkLabels(t, n)
	})
}

var nameSeeds = []string{
	"", ".", "..", "a", "a.", "a..b", ".a", `a\.b.c`, `\097b`, `\`, `a\`, `\256`, `\1`, "a b", "a@b;(c)\"d'", "Ä.example.", "K.example",
	"kubernetes.default.svc.cluster.local", "_https._tcp.KUBERNETES.default.svc.cluster.local.", longLabel, longLabel + "x", "x" + longLabel,
	longLabel + ".", longLabel + "x.", strings.Repeat("a.", 127), strings.Repeat("a.", 128), strings.Repeat(`\001.`, 127),
}

// FuzzParseName holds a name that was read as text to the same name read as wire.
func FuzzParseName(f *testing.F) {
	for _, seed := range nameSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseName(text)
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
		if err != nil || !o.encloses(&n) || !strings.EqualFold(o.spelled(&n), o.String()) || o.spelled(&n) != n.String() {
			t.Fatalf("%q as an origin is %s: %v", text, o, err)
		}
	})
}

// FuzzDashed checks that every address has one label, and that the label leads
// back to it, as does every other label that is taken for an address.
func FuzzDashed(f *testing.F) {
	for _, seed := range []string{
		"10-0-0-1", "2001-db8--0", "2001-db8--", "--1", "--", "--0", "0--0", "1-2-3-4-5-6-7-8", "--ffff-a00-1", "10.0.0.1", "--10.0.0.1",
		"2001:db8::1", "fe80--1%eth0", "010-0-0-1", "1-2-3", "-", "", "FD00--A",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		a, ok := parseDashed(label)
		if !ok {
			return
		}
		if a.Zone() != "" || a.Is4In6() || strings.Contains(label, ".") {
			t.Fatalf("%q became %s", label, a)
		}
		canonical := dashed(a)
		if strings.HasSuffix(canonical, "-") || strings.ContainsAny(canonical, ".:") || len(canonical) > 63 {
			t.Fatalf("%s has the label %s", a, canonical)
		}
		if b, ok := parseDashed(canonical); !ok || b != a {
			t.Fatalf("%s has the label %s, which is that of %s", a, canonical, b)
		}
	})
}

func TestDashed(t *testing.T) {
	for addr, want := range map[string]string{
		"10.0.0.1": "10-0-0-1", "2001:db8::": "2001-db8--0", "::1": "--1", "::": "--0", "2001:db8::1": "2001-db8--1",
		"1:2:3:4:5:6:7:8": "1-2-3-4-5-6-7-8", "1:0:0:2::": "1-0-0-2--0", "fd00::A": "fd00--a",
	} {
		if got := dashed(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// FuzzLookup asks a cluster with all kinds of names for any name and type.
func FuzzLookup(f *testing.F) {
	for i, seed := range wireSeeds {
		f.Add([]byte(seed), uint16(i%40))
		f.Add([]byte(seed), dns.TypeSRV)
		f.Add([]byte(seed), dns.TypeANY)
	}
	s := snapshotOf(f, specServices+specHeadless+specExternal+namesCluster+apexCluster+clusterSet)
	v := viewOf(f, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.", ".")
	v.Origins[0].ClusterSet, v.IgnoreEmpty, v.Zonal = true, true, true
	v.Pods, v.PodNames, v.Local = PodsInsecure, true, addrsOf(f, "10.0.0.2,2001:db8::9")
	f.Fuzz(func(t *testing.T, wire []byte, qtype uint16) {
		n, err := ParseWire(wire)
		if err != nil {
			return
		}
		a := v.Lookup(s, &n, qtype)
		checkForm(t, n.String(), qtype, a)
		if other := v.Lookup(s, &n, qtype+1); exists(a) != exists(other) {
			t.Fatalf("%s exists for some types only:\n%s\n%s", n.String(), render(a), render(other))
		}
		if empty := v.Lookup(NewStore().Load(), &n, qtype); empty.Result != NotReady || len(empty.Authority) != 1 {
			t.Fatalf("%s before the first sync: %s", n.String(), render(empty))
		}
	})
}
