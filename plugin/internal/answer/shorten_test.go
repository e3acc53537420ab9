package answer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// sharedAddress returns the text of a cluster in which many Services have an endpoint with
// one address, some of them several names for it.
func sharedAddress(services int) string {
	var b strings.Builder
	for i := range services {
		if i%5 == 0 {
			fmt.Fprintf(&b, "namespace n%d\n", i/5)
		}
		fmt.Fprintf(&b, "headless n%d/service-%d\nslice n%d/service-%d a http/tcp/80 10.250.0.1", i/5, i, i/5, i)
		for j := range i % 3 {
			fmt.Fprintf(&b, " 10.250.0.1=%s%d", strings.Repeat("x", i), j)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// compared compares the sockets' answer with the handler's at each size. It returns the
// number of sizes at which the sockets leave the answer to the handler.
func compared(t *testing.T, world, question string, qtype uint16, step int) (left int) {
	t.Helper()
	v, s := wireView(t), clustertest.Snapshot(t, world)
	name := wireName(t, question)
	n, _ := dnsname.ParseWire(name)
	q := Question{Type: qtype}
	q.Parse(name)
	for size := 512; size < 4096; size += step {
		limits := Limits{Size: size, Reserved: optSize, Random: rand.NewPCG(1, 2)}
		got, plain, _ := wired(t, v, s, &q, name, limits)
		if got == nil {
			left++
			continue
		}
		limits.Random = rand.NewPCG(1, 2)
		a := Lookup(v, s, &n, qtype, limits)
		want := handled(a, &n, qtype, size)
		want.Truncated = want.Truncated || a.Truncated
		if chosen := want.Truncated && qtype == dns.TypePTR; !chosen || !got.Truncated {
			sameMessage(t, got, want)
		} else if abs(len(got.Answer)-len(want.Answer)) > 3 { // chance chooses longer and shorter names
			t.Errorf("%s at %d octets: %d records, want about %d", question, size, len(got.Answer), len(want.Answer))
		}
		if len(got.Answer) == 0 {
			t.Errorf("%s at %d octets: no records", question, size)
		}
		whole := dns.Msg{Question: []dns.Question{{Name: n.String()}}, Answer: a.Records, Extra: a.Extra}
		if plain != whole.Len() && !got.Truncated {
			t.Errorf("%s at %d octets: %d uncompressed octets, want %d", question, size, plain, whole.Len())
		}
	}
	return left
}

// However many names an address has, the sockets give as many of them as the handler.
func TestB1PointersAtTheSockets(t *testing.T) {
	for _, services := range []int{1, 2, 3, 7, 15, 16, 17, 30} {
		if left := compared(t, sharedAddress(services), "1.0.250.10.in-addr.arpa.", dns.TypePTR, 1); left > 0 {
			t.Errorf("%d Services: at %d sizes the handler is asked", services, left)
		}
	}
}

// Pointers lead to the first 16 KiB of a message only (RFC 1035 4.1.4).
func TestPointersInLongMessages(t *testing.T) {
	const services = 3000
	var b strings.Builder
	for i := range services {
		fmt.Fprintf(&b, "namespace n%04d\nheadless n%04d/a\nslice n%04d/a a http/tcp/80 10.250.0.1 10.250.0.1=second\n", i, i, i)
	}
	v, s := wireView(t), clustertest.Snapshot(t, b.String())
	name := wireName(t, "1.0.250.10.in-addr.arpa.")
	q := Question{Type: dns.TypePTR}
	q.Parse(name)
	if m, _, _ := wired(t, v, s, &q, name, Limits{Size: 65507, Reserved: optSize}); m == nil || !m.Truncated || len(m.Answer) < 1500 {
		t.Errorf("%d records, truncated %v", len(m.Answer), m.Truncated)
	}
}

// An answer with addresses of targets is given at the sockets if it fits with names compressed.
func TestB1AddressesOfTargetsAtTheSockets(t *testing.T) {
	for endpoints := 1; endpoints < 40; endpoints++ {
		world := "namespace a\nheadless a/db\nslice a/db s pg/tcp/5432"
		for i := range endpoints {
			world += fmt.Sprintf(" 10.1.0.%d", i+1)
		}
		left := compared(t, world+"\n", "db.a.svc.cluster.local.", dns.TypeSRV, 9)
		if most := 0; endpoints <= knownTargets && left > most {
			t.Errorf("%d endpoints: at %d sizes the handler is asked, want at most %d", endpoints, left, most)
		}
	}
}

// A target whose name is too long has neither an SRV record nor an address.
func TestTargetsWithLongNames(t *testing.T) {
	part := strings.Repeat("z", 60)
	zone := part + "." + part + "." + part + ".local."
	v := viewOf(t, zone)
	world := "namespace a\nheadless a/db\nslice a/db s pg/tcp/5432 10.1.0.1=x 10.1.0.2=" + strings.Repeat("y", 63) + " 10.1.0.3=z\n"
	s := clustertest.Snapshot(t, world)
	for _, prefix := range []string{"", "_pg._tcp."} {
		name := wireName(t, fmt.Sprintf("%sdb.a.svc.%s", prefix, zone))
		n, _ := dnsname.ParseWire(name)
		q := Question{Type: dns.TypeSRV}
		q.Parse(name)
		limits := Limits{Size: 4096, Reserved: optSize, Random: rand.NewPCG(1, 2)}
		got, _, _ := wired(t, v, s, &q, name, limits)
		if got == nil {
			t.Fatalf("%q is left to the handler", prefix)
		}
		sameMessage(t, got, handled(Lookup(v, s, &n, q.Type, limits), &n, q.Type, 4096))
	}
}
