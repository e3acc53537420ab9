package answer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/cost"
)

// crowdedQuestions are about names with all of the endpoints.
var crowdedQuestions = []struct {
	name  string
	qtype uint16
}{
	{"big.a.svc.cluster.local.", dns.TypeSRV},
	{"big.a.svc.cluster.local.", dns.TypeA},
	{"_http._tcp.big.a.svc.cluster.local.", dns.TypeSRV},
	{"_http._tcp.big.a.svc.cluster.local.", dns.TypeA},
	{"here.pin._zone.big.a.svc.cluster.local.", dns.TypeSRV},
	{"nowhere.prefer._zone.big.a.svc.cluster.local.", dns.TypeA},
	{"twins.a.svc.cluster.local.", dns.TypeSRV},
	{"twin.twins.a.svc.cluster.local.", dns.TypeSRV},
	{"twin.twins.a.svc.cluster.local.", dns.TypeA},
	{"_http._tcp.twins.a.svc.cluster.local.", dns.TypeSRV},
	{"1.0.250.10.in-addr.arpa.", dns.TypePTR},
}

func crowdedView(t clustertest.T) *resolve.View {
	v := wireView(t)
	v.Zonal = true
	return v
}

// The cost of an answer depends on how much fits into it, and not on how many endpoints
// there are. Allocations show how many are looked at.
func TestB1CostIsBoundedByTheReply(t *testing.T) {
	v := crowdedView(t)
	few, many := clustertest.Snapshot(t, clustertest.Crowded(100)), clustertest.Snapshot(t, clustertest.Crowded(5000))
	for _, question := range crowdedQuestions {
		n, err := dnsname.Parse(question.name)
		if err != nil {
			t.Fatal(err)
		}
		of := func(s *cluster.Snapshot) func() {
			return func() { Lookup(v, s, &n, question.qtype, Limits{Size: 1232, Reserved: optSize}) }
		}
		cost.Same(t, fmt.Sprint(question), of(few), of(many))
	}
}

// The same holds for the names of the servers.
func TestB1ServersCostIsBounded(t *testing.T) {
	v := crowdedView(t)
	v.Local = clustertest.Addrs(t, "10.1.0.1")
	few, many := clustertest.Snapshot(t, clustertest.Crowded(100)), clustertest.Snapshot(t, clustertest.Crowded(5000))
	for _, question := range []struct {
		name  string
		qtype uint16
	}{
		{"cluster.local.", dns.TypeNS},
		{"ns.dns.cluster.local.", dns.TypeA},
	} {
		n, err := dnsname.Parse(question.name)
		if err != nil {
			t.Fatal(err)
		}
		of := func(s *cluster.Snapshot) func() {
			return func() {
				if a := Lookup(v, s, &n, question.qtype, Limits{Size: 1232, Reserved: optSize}); a.Result != resolve.Success || !a.Truncated {
					t.Fatalf("%s: %v, truncated %v", question.name, a.Result, a.Truncated)
				}
			}
		}
		cost.Same(t, fmt.Sprint(question), of(few), of(many))
	}
}

// An answer has as many records as fit of the whole answer, and others each time.
func TestB1ShowsAsMuchAsFits(t *testing.T) {
	v, s := crowdedView(t), clustertest.Snapshot(t, clustertest.Crowded(1000))
	for _, question := range crowdedQuestions {
		n, _ := dnsname.Parse(question.name)
		whole := Lookup(v, s, &n, question.qtype, unlimited)
		there := map[string]bool{}
		for _, rr := range slices.Concat(whole.Records, whole.Extra) {
			there[rr.String()] = true
		}
		for _, size := range []int{512, 1232, 4096, 65507} {
			a := Lookup(v, s, &n, question.qtype, Limits{Size: size, Reserved: optSize})
			got, want := handled(a, &n, question.qtype, size), handled(whole, &n, question.qtype, size)
			got.Truncated = got.Truncated || a.Truncated
			if got.Truncated != want.Truncated || abs(len(got.Answer)-len(want.Answer)) > len(want.Answer)/8 || len(got.Extra) != len(want.Extra) {
				t.Errorf("%v at %d octets: %d and %d records, truncated %v, want %d and %d, %v", question, size,
					len(got.Answer), len(got.Extra), got.Truncated, len(want.Answer), len(want.Extra), want.Truncated)
			}
			seen := map[string]bool{}
			for _, rr := range slices.Concat(got.Answer, got.Extra) {
				if text := rr.String(); seen[text] || !there[text] {
					t.Errorf("%v: %s is there twice, or is none of all", question, text)
				} else {
					seen[text] = true
				}
			}
		}
	}
}

// P12: a message of 64 KiB with the whole answer section has no TC bit if addresses of
// targets are left out: resolvers would take it for a failure.
func TestP12WholeAnswerWithoutAddresses(t *testing.T) {
	v, s := crowdedView(t), clustertest.Snapshot(t, clustertest.Crowded(1000))
	for _, question := range crowdedQuestions {
		if question.qtype != dns.TypeSRV {
			continue
		}
		n, _ := dnsname.Parse(question.name)
		whole := Lookup(v, s, &n, question.qtype, unlimited)
		if len(whole.Records) != 1000 {
			continue
		}
		a := Lookup(v, s, &n, question.qtype, Limits{Size: dns.MaxMsgSize, Reserved: optSize})
		m := handled(a, &n, question.qtype, dns.MaxMsgSize)
		if m.Truncated = m.Truncated || a.Truncated; m.Truncated || len(m.Answer) != 1000 || len(m.Extra) < 100 || len(m.Extra) >= len(whole.Extra) {
			t.Errorf("%v: truncated %v, %d records, %d of %d addresses", question, m.Truncated, len(m.Answer), len(m.Extra), len(whole.Extra))
		}
	}
}

// The same holds for ports, of which the API server takes slices of 20,000: each is not compared with every
// other, nor counted for each endpoint, either of which would take many minutes here.
func TestB1CostOfPortsIsBounded(t *testing.T) {
	const ports, endpoints = 100000, 20000
	var listed, members strings.Builder
	for i := range ports {
		fmt.Fprintf(&listed, " p%d/tcp/%d", i, 1+i%65535)
	}
	for i := range endpoints {
		fmt.Fprintf(&members, " 10.1.%d.%d=same", i>>8, i&255)
	}
	s := clustertest.Snapshot(t, "namespace a\nclusterip a/web 10.3.0.1"+listed.String()+"\nheadless a/db\nslice a/db x"+listed.String()+members.String()+
		"\nheadless a/two\nslice a/two x"+listed.String()+" 10.1.0.1=same 10.1.0.2\nslice a/two y http/tcp/80 10.1.0.1=same 10.1.0.3")
	v := wireView(t)
	for question, want := range map[string]int{
		"web.a.svc.cluster.local.": 20, "db.a.svc.cluster.local.": 20, "same.db.a.svc.cluster.local.": 20, "two.a.svc.cluster.local.": 20, "_p7._tcp.db.a.svc.cluster.local.": 1,
	} {
		n, err := dnsname.Parse(question)
		if err != nil {
			t.Fatal(err)
		}
		cost.Ends(t, question, func() {
			for range 20 {
				if a := Lookup(v, s, &n, dns.TypeSRV, Limits{Size: 1232, Reserved: optSize}); len(a.Records) < want {
					t.Errorf("%s has %d records, want %d at least", question, len(a.Records), want)
				}
			}
		})
	}
}

// A long list of addresses that a Service or a published name has itself is not packed as a whole
// for a reply that a part of it fills, and all of it is shown where there is room.
func TestB1CostOfOwnAddressesIsBounded(t *testing.T) {
	var addrs strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&addrs, ",10.3.%d.%d", i>>8, i&255)
	}
	s, v := clustertest.Snapshot(t, "namespace a\nclusterip a/web "+addrs.String()[1:]+"\nclusterip a/both "+addrs.String()[1:]+",2001:db8::1"), wireView(t)
	for _, tc := range []struct {
		name        string
		qtype       uint16
		size, count int
		cut         bool
	}{
		{"web.a.svc.cluster.local.", dns.TypeA, 512, 29, true},
		{"web.a.svc.cluster.local.", dns.TypeA, 1 << 20, 5000, false},
		{"web.a.svc.cluster.local.", dns.TypeAAAA, 512, 0, false},
		{"both.a.svc.cluster.local.", dns.TypeA, 512, 29, true},
		{"both.a.svc.cluster.local.", dns.TypeAAAA, 512, 1, false},
	} {
		n, err := dnsname.Parse(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		a := Lookup(v, s, &n, tc.qtype, Limits{Size: tc.size})
		seen := map[string]bool{}
		for _, rr := range a.Records {
			seen[rr.String()] = true
		}
		if len(seen) != tc.count || len(a.Records) != tc.count || a.Truncated != tc.cut {
			t.Errorf("%+v: %d different of %d records, truncated %v", tc, len(seen), len(a.Records), a.Truncated)
		}
	}
	q, out, name := Question{Type: dns.TypeA}, Encoded{}, wireName(t, "web.a.svc.cluster.local.")
	q.Parse(name)
	head := append(append(make([]byte, headerSize, 4096), name...), 0, 0, 0, 1)
	least := cost.Octets(50, func() { AppendWire(head, v, s, &q, Limits{Size: 1232, Reserved: optSize, Shuffle: true}, &out) })
	if least > 4*1232 {
		t.Errorf("allocates %d octets for a reply of 1232", least)
	}
}

// A label whose many endpoints have no address of the family is not looked at one by one, which would take many minutes here.
func TestB1CostOfOneLabelIsBounded(t *testing.T) {
	const slices, each, lookups = 200, 1000, 50000
	text := new(strings.Builder)
	fmt.Fprint(text, "namespace a\nheadless a/twins")
	for i := range slices * each {
		if i%each == 0 {
			fmt.Fprintf(text, "\nslice a/twins s%d http/tcp/80", i/each)
		}
		fmt.Fprintf(text, " 10.%d.%d.%d=twin", i>>16, i>>8&255, i&255)
	}
	v, s := crowdedView(t), clustertest.Snapshot(t, text.String())
	n, _ := dnsname.Parse("twin.twins.a.svc.cluster.local.")
	cost.Ends(t, "AAAA", func() {
		for range lookups {
			if a := Lookup(v, s, &n, dns.TypeAAAA, Limits{Size: 1232}); a.Result != resolve.NoData {
				t.Error(a.Result)
				return
			}
		}
	})
}

func abs(n int) int { return max(n, -n) }

// The sockets answer with as many SRV records as the handler.
func TestB1WireShowsAsMuchAsFits(t *testing.T) {
	v, s := crowdedView(t), clustertest.Snapshot(t, clustertest.Crowded(5000))
	msg := make([]byte, 0, 1<<16)
	var out Encoded
	for _, question := range crowdedQuestions[:3] {
		name := wireName(t, question.name)
		n, _ := dnsname.ParseWire(name)
		q := Question{Type: question.qtype}
		for _, size := range []int{512, 1232, 4096, 65507} {
			q.Parse(name)
			limits := Limits{Size: size, Reserved: optSize, Random: rand.NewPCG(1, 2)}
			got, plain, _ := wired(t, v, s, &q, name, limits)
			if got == nil {
				t.Errorf("%v at %d octets is left to the handler", question, size)
				continue
			}
			limits.Random = rand.NewPCG(1, 2)
			a := Lookup(v, s, &n, question.qtype, limits)
			want := handled(a, &n, question.qtype, size)
			want.Truncated = want.Truncated || a.Truncated
			sameMessage(t, got, want)
			whole := dns.Msg{Question: []dns.Question{{Name: n.String()}}, Answer: a.Records, Extra: a.Extra}
			if plain != whole.Len() {
				t.Errorf("%v: %d octets, want %d", question, plain, whole.Len())
			}
			if allocs := testing.AllocsPerRun(20, func() { AppendWire(msg[:headerSize+len(name)+4], v, s, &q, limits, &out) }); allocs != 0 {
				t.Errorf("%v costs %v allocations", question, allocs)
			}
		}
	}
}

// The sockets leave an answer to the handler before they write more than fits: otherwise
// the memory of the message would grow.
func TestB1WireGivesUpEarly(t *testing.T) {
	v, s := crowdedView(t), clustertest.Snapshot(t, clustertest.Crowded(5000))
	for _, question := range crowdedQuestions {
		name := wireName(t, question.name)
		head := append(append(make([]byte, headerSize, 4096), name...), 0, 0, 0, 1)
		q, out := Question{Type: question.qtype}, Encoded{}
		q.Parse(name)
		allocs := testing.AllocsPerRun(20, func() { AppendWire(head, v, s, &q, Limits{Size: 1232, Reserved: optSize}, &out) })
		if allocs > 6 {
			t.Errorf("%v costs %v allocations", question, allocs)
		}
	}
}

// If not all endpoints fit, each has the same chance.
func TestB1EachEndpointHasItsTurn(t *testing.T) {
	v, s := crowdedView(t), clustertest.Snapshot(t, clustertest.Crowded(200))
	n, _ := dnsname.Parse("_http._tcp.big.a.svc.cluster.local.")
	seen, shown := map[string]int{}, 0
	const rounds = 4000
	for range rounds {
		for _, rr := range Lookup(v, s, &n, dns.TypeSRV, Limits{Size: 1232}).Records {
			seen[rr.(*dns.SRV).Target]++
			shown++
		}
	}
	for target, count := range seen {
		if mean := shown / 200; count < mean/2 || count > mean*2 {
			t.Errorf("%s is shown %d times, where the mean is %d", target, count, mean)
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 endpoints are shown", len(seen))
	}
}

// A sample has the requested number of different items.
func TestSample(t *testing.T) {
	for total := 1; total < 40; total++ {
		for count := 0; count <= total; count++ {
			s, seen := newSample(total, count, nil), map[int]bool{}
			for range count {
				seen[s.next()] = true
			}
			for at := range seen {
				if at < 0 || at >= total {
					t.Fatalf("%d is none of %d", at, total)
				}
			}
			if len(seen) != count {
				t.Fatalf("%d of %d are %v", count, total, seen)
			}
		}
	}
}

func BenchmarkB1(b *testing.B) {
	v := crowdedView(b)
	for _, endpoints := range []int{10, 100, 1000, 5000} {
		s := clustertest.Snapshot(b, clustertest.Crowded(endpoints))
		for _, question := range crowdedQuestions {
			for _, size := range []int{512, 1232, 65507} {
				name := wireName(b, question.name)
				head := append(append(make([]byte, headerSize, 1<<16), name...), 0, 0, 0, 1)
				limits := Limits{Size: size, Reserved: optSize, Random: rand.NewPCG(1, 2)}
				title := fmt.Sprintf("%s%s/%d/%d", question.name, dns.TypeToString[question.qtype], endpoints, size)
				b.Run("Sockets/"+title, func(b *testing.B) {
					q := Question{Type: question.qtype}
					var out Encoded
					handed := 0
					for b.Loop() {
						q.Parse(name)
						if _, ok := AppendWire(head, v, s, &q, limits, &out); !ok {
							handed = 1
						}
					}
					b.ReportMetric(float64(handed), "handed-over")
				})
				b.Run("Chain/"+title, func(b *testing.B) {
					buf := make([]byte, 1<<16)
					for b.Loop() {
						n, _ := dnsname.ParseWire(name)
						a := Lookup(v, s, &n, question.qtype, limits)
						m := &dns.Msg{Answer: a.Records, Ns: a.Authority, Extra: a.Extra}
						m.Question = []dns.Question{{Name: n.String(), Qtype: question.qtype, Qclass: dns.ClassINET}}
						m.SetEdns0(uint16(size), false)
						m.Truncate(size)
						if _, err := m.PackBuffer(buf); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
