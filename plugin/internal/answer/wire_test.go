package answer

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// wired returns an answer in wire form as a message, or nil for a question that is
// left to the handler. Reserved is the size of an OPT record.
func wired(t clustertest.T, v *resolve.View, s *cluster.Snapshot, q *Question, name []byte, limits Limits) (m *dns.Msg, plain int, kind resolve.NameKind) {
	t.Helper()
	head := make([]byte, headerSize, 1<<16)
	head[5] = 1
	head = append(head, name...)
	head = append(head, byte(q.Type>>8), byte(q.Type), 0, 1)
	var wire Encoded
	msg, ok := AppendWire(head, v, s, q, limits, &wire)
	if !ok {
		return nil, 0, resolve.KindUnknown
	}
	if len(msg)+limits.Reserved > limits.Size {
		t.Fatalf("%q: %d octets and %d to come, where %d fit", name, len(msg), limits.Reserved, limits.Size)
	}
	for i, n := range []uint16{wire.Answers, wire.Authority, wire.Extra} {
		msg[6+2*i], msg[7+2*i] = byte(n>>8), byte(n)
	}
	m = new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	m.Truncated, m.Rcode = wire.Truncated, map[resolve.Result]int{resolve.NXDomain: dns.RcodeNameError}[wire.Result]
	return m, wire.UncompressedSize, wire.Kind
}

// handled returns the handler's answer as a message, cut to the size.
func handled(a Answer, n *dnsname.Name, qtype uint16, size int) *dns.Msg {
	m := &dns.Msg{Answer: slices.Clone(a.Records), Ns: a.Authority, Extra: slices.Clone(a.Extra)}
	m.Rcode = map[resolve.Result]int{resolve.NXDomain: dns.RcodeNameError}[a.Result]
	m.Question = []dns.Question{{Name: n.String(), Qtype: qtype, Qclass: dns.ClassINET}}
	m.SetEdns0(uint16(size), false)
	m.Truncate(size)
	m.Extra = slices.DeleteFunc(m.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
	return m
}

// sameMessage compares what two messages say. Where not all addresses fit, it is
// chance which are there.
func sameMessage(t clustertest.T, got, want *dns.Msg) {
	t.Helper()
	if got.Rcode != want.Rcode || got.Truncated != want.Truncated || len(got.Answer) != len(want.Answer) {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	sections := [][2][]dns.RR{{got.Ns, want.Ns}, {got.Extra, want.Extra}}
	if !want.Truncated {
		sections = append(sections, [2][]dns.RR{got.Answer, want.Answer})
	}
	for _, section := range sections {
		if a, b := sorted(section[0]), sorted(section[1]); !slices.Equal(a, b) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func sorted(rrs []dns.RR) []string {
	var list []string
	for _, rr := range rrs {
		list = append(list, rr.String())
	}
	slices.Sort(list)
	return list
}

const optSize = 11

// FuzzWire holds the wire form of answers to what the handler would send.
func FuzzWire(f *testing.F) {
	for i, seed := range wireSeeds {
		f.Add([]byte(seed), uint16(i%40), uint16(512), true)
		f.Add([]byte(seed), dns.TypeA, uint16(600), false)
		f.Add([]byte(seed), dns.TypeSRV, uint16(4096), true)
	}
	s := clustertest.Snapshot(f, specServices+specHeadless+specExternal+namesCluster+apexCluster+clusterSet)
	v := viewOf(f, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.", ".")
	v.Origins[0].ClusterSet, v.IgnoreEmpty, v.Zonal = true, true, true
	v.Pods, v.PodNames, v.Local = resolve.PodsInsecure, true, clustertest.Addrs(f, "10.0.0.2,2001:db8::9")
	f.Fuzz(func(t *testing.T, wire []byte, qtype, size uint16, random bool) {
		var q Question
		end, ok := q.Parse(wire)
		n, err := dnsname.ParseWire(wire[:min(end, len(wire))])
		if ok != (err == nil) {
			t.Fatalf("%q: a name: %v, but %v", wire, ok, err)
		}
		if !ok {
			return
		}
		q.Type = qtype
		limits := Limits{Size: max(512, int(size)), Reserved: optSize}
		if random {
			limits.Shuffle, limits.Random = true, rand.NewPCG(1, 2)
		}
		if got, plain, kind := wired(t, v, s, &q, wire[:end], limits); got != nil {
			if random {
				limits.Random = rand.NewPCG(1, 2)
			}
			a := Lookup(v, s, &n, qtype, limits)
			want := handled(a, &n, qtype, limits.Size)
			want.Truncated = want.Truncated || a.Truncated
			sameMessage(t, got, want)
			if kind != a.Kind {
				t.Fatalf("%s is of kind %v, want %v", n.String(), kind, a.Kind)
			}
			if whole := handled(a, &n, qtype, dns.MaxMsgSize); plain != whole.Len() {
				t.Fatalf("%d octets, want %d of\n%s", plain, whole.Len(), whole)
			}
		}
	})
}

// wireCluster has a Service for each way in which answers are made.
const wireCluster = `
namespace a
clusterip a/web 10.3.0.1,2001:db8::1 http/tcp/80 /tcp/81 dns/udp/53
headless a/db pg/tcp/5432
slice a/db one pg/tcp/5432 10.1.0.1=db-0 10.1.0.2=db-1 10.1.0.3
slice a/db two pg/tcp/5432 10.1.0.3 2001:db8::7=db-0 2001:db8::8
slice a/web one http/tcp/8080 10.1.0.1 10.2.0.1
`

// wireQuestions are asked for without the handler.
var wireQuestions = []struct {
	name  string
	qtype uint16
}{
	{"web.a.svc.cluster.local.", dns.TypeA},
	{"WEB.a.svc.Cluster.local.", dns.TypeAAAA},
	{"web.a.svc.cluster.local.", dns.TypeMX},
	{"web.a.svc.cluster.local.", dns.TypeSRV},
	{"_http._tcp.web.a.svc.cluster.local.", dns.TypeSRV},
	{"_http._tcp.web.a.svc.cluster.local.", dns.TypeA},
	{"db.a.svc.cluster.local.", dns.TypeA},
	{"db.a.svc.cluster.local.", dns.TypeAAAA},
	{"db.a.svc.cluster.local.", dns.TypeSRV},
	{"_pg._tcp.db.a.svc.cluster.local.", dns.TypeSRV},
	{"db-0.db.a.svc.cluster.local.", dns.TypeA},
	{"db-0.db.a.svc.cluster.local.", dns.TypeSRV},
	{"10-1-0-1.web.a.svc.cluster.local.", dns.TypeSRV},
	{"_dns._udp.web.a.svc.cluster.local.", dns.TypeSRV},
	{"10-1-0-3.db.a.svc.cluster.local.", dns.TypeA},
	{"2001-db8--8.db.a.svc.cluster.local.", dns.TypeAAAA},
	{"_tcp.db.a.svc.cluster.local.", dns.TypeA},
	{"10-9-9-9.a.pod.cluster.local.", dns.TypeA},
	{"www.example.com.a.svc.cluster.local.", dns.TypeA},
	{"www.example.com.svc.cluster.local.", dns.TypeAAAA},
	{"www.example.com.cluster.local.", dns.TypeA},
	{"svc.cluster.local.", dns.TypeA},
	{"cluster.local.", dns.TypeSOA},
	{"cluster.local.", dns.TypeA},
	{"1.0.3.10.in-addr.arpa.", dns.TypePTR},
	{"1.0.1.10.in-addr.arpa.", dns.TypePTR},
	{"1.0.1.10.in-addr.arpa.", dns.TypeA},
	{"9.0.1.10.in-addr.arpa.", dns.TypePTR},
	{"1.10.in-addr.arpa.", dns.TypePTR},
	{"8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", dns.TypePTR},
}

func wireView(t clustertest.T) *resolve.View {
	v := viewOf(t, "cluster.local.", "in-addr.arpa.", "ip6.arpa.")
	v.Pods = resolve.PodsInsecure
	return v
}

func wireName(t clustertest.T, name string) []byte {
	buf := make([]byte, dnsname.MaxWire)
	end, err := dns.PackDomainName(name, buf, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:end]
}

func TestWire(t *testing.T) {
	s, v := clustertest.Snapshot(t, wireCluster), wireView(t)
	for _, question := range wireQuestions {
		name := wireName(t, question.name)
		n, err := dnsname.ParseWire(name)
		if err != nil {
			t.Fatal(err)
		}
		q := Question{Type: question.qtype}
		for range 2 { // the second answer is kept from the first
			q.Parse(name)
			got, _, _ := wired(t, v, s, &q, name, Limits{Size: 1232, Reserved: optSize})
			if got == nil {
				t.Errorf("%v is left to the handler", question)
				break
			}
			sameMessage(t, got, handled(Lookup(v, s, &n, q.Type, unlimited), &n, q.Type, 1232))
		}
	}
}

// A kept answer belongs to one version of a Service.
func TestWireFollowsChanges(t *testing.T) {
	store := cluster.NewStore()
	txn := store.Begin()
	clustertest.Load(t, txn, wireCluster)
	txn.SetSynced()
	txn.Commit()
	v := wireView(t)
	count := func(qtype uint16) int {
		name := wireName(t, "db.a.svc.cluster.local.")
		q := Question{Type: qtype}
		q.Parse(name)
		m, _, _ := wired(t, v, store.Load(), &q, name, Limits{Size: 4096})
		return len(m.Answer)
	}
	if a, srv := count(dns.TypeA), count(dns.TypeSRV); a != 3 || srv != 4 {
		t.Fatalf("%d addresses and %d SRV records, want 3 and 4", a, srv)
	}
	txn = store.Begin()
	clustertest.Load(t, txn, "slice a/db three pg/tcp/5432 10.1.0.9")
	txn.Commit()
	if a, srv := count(dns.TypeA), count(dns.TypeSRV); a != 4 || srv != 5 {
		t.Fatalf("after the change %d addresses and %d SRV records, want 4 and 5", a, srv)
	}
}

// Two views of one Service must not have each other's answers, nor may those of
// views that are gone fill memory.
func TestWireKeepsViewsApart(t *testing.T) {
	s := clustertest.Snapshot(t, wireCluster)
	name := wireName(t, "db.a.svc.cluster.local.")
	for ttl := range uint32(100) {
		v := wireView(t)
		v.TTL = ttl
		q := Question{Type: dns.TypeSRV}
		q.Parse(name)
		got, _, _ := wired(t, v, s, &q, name, Limits{Size: 4096})
		if got == nil || got.Answer[0].Header().Ttl != ttl {
			t.Fatalf("with TTL %d: %v", ttl, got)
		}
	}
	node := s.Service(cluster.Key{Namespace: "a", Name: "db"})
	if kept, most := cacheOf(node).Bytes(), cachedPerService+cachedPerEndpoint*resolve.Members(node); kept > most {
		t.Errorf("%d octets are kept, want at most %d", kept, most)
	}
}

// Nothing is allocated for an answer.
func TestWireAllocatesNothing(t *testing.T) {
	s, v := clustertest.Snapshot(t, wireCluster), wireView(t)
	msg := make([]byte, 0, 4096)
	random := rand.NewPCG(1, 2)
	var q Question
	var out Encoded
	for _, question := range wireQuestions {
		name := wireName(t, question.name)
		allocs := testing.AllocsPerRun(100, func() {
			q.Type = question.qtype
			if _, ok := q.Parse(name); !ok {
				t.Fatal(question)
			}
			AppendWire(msg[:headerSize], v, s, &q, Limits{Size: 4096, Reserved: optSize, Shuffle: true, Random: random}, &out)
		})
		if allocs != 0 {
			t.Errorf("%v costs %v allocations", question, allocs)
		}
	}
}
