package top

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_000_000, 0)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var (
	pod      = netip.MustParseAddr("10.1.0.1")
	other    = netip.MustParseAddr("10.1.0.2")
	stranger = netip.MustParseAddr("192.0.2.1")
	service  = "db.shop.svc.cluster.local."
)

// newCounter returns a counter for cluster.local., with two Pods.
func newCounter(t testing.TB, now func() time.Time) *Counter {
	t.Helper()
	store := cluster.NewStore()
	clustertest.Commit(store, func(txn *cluster.Txn) {
		txn.PutNamespace("shop")
		txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: "shop"}, cluster.Profile{}, pod))
		txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: "pay"}, cluster.Profile{}, other))
		txn.SetSynced()
	})
	origin, err := resolve.ParseOrigin("cluster.local.")
	if err != nil {
		t.Fatal(err)
	}
	view := &resolve.View{Origins: []resolve.Origin{origin}}
	return &Counter{Tally: New(now), Store: func() *cluster.Store { return store }, View: view, Pods: true}
}

func nameOf(t testing.TB, text string) *dnsname.Name {
	t.Helper()
	name, err := dnsname.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &name
}

// text returns a list in one line.
func text(rows []Row) string {
	var parts []string
	for _, r := range rows {
		part := fmt.Sprintf("%s:%d", r.Item, r.Questions)
		if r.Namespace != "" {
			part = r.Namespace + "/" + part
		}
		if r.Over > 0 {
			part += fmt.Sprintf("-%d", r.Over)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestWhoAsksWhat(t *testing.T) {
	c := newCounter(t, newClock().time)
	for _, q := range []struct {
		from  netip.Addr
		name  string
		rcode int
		times int
	}{
		{pod, service, dns.RcodeSuccess, 3},
		{pod, "DB.shop.svc.CLUSTER.local.", dns.RcodeSuccess, 1}, // the same name
		{other, "a.b.c.example.com.", dns.RcodeNameError, 5},
		{other, "z.example.com.", dns.RcodeServerFailure, 1},
		{stranger, "com.", dns.RcodeRefused, 1},
		{stranger, ".", 23, 1},
	} {
		for range q.times {
			c.Answered(q.from, nameOf(t, q.name), q.rcode)
		}
	}
	r := c.Tally.Report()
	expect(t, "Namespaces", text(r.Namespaces), "pay:6 shop:4 -:2")
	expect(t, "clients", text(r.Clients), "pay/10.1.0.2:6 shop/10.1.0.1:4 192.0.2.1:2")
	expect(t, "names", text(r.Names), "example.com.:6 "+service+":4 .:1 com.:1")
	expect(t, "rcodes", text(r.Rcodes), "NXDOMAIN:5 NOERROR:4 BADCOOKIE:1 REFUSED:1 SERVFAIL:1")
	if r.Questions != 12 || r.Counted != 12 || r.OneIn != 1 || !r.Pods {
		t.Errorf("%+v", r)
	}
}

// Without Pods nobody's Namespace is known.
func TestWithoutPods(t *testing.T) {
	c := newCounter(t, newClock().time)
	c.Pods = false
	c.Answered(pod, nameOf(t, service), dns.RcodeSuccess)
	r := c.Tally.Report()
	expect(t, "Namespaces", text(r.Namespaces), "-:1")
	expect(t, "clients", text(r.Clients), "10.1.0.1:1")
	if r.Pods {
		t.Error("the Namespaces are known")
	}
}

// A name may have any octets. What a terminal would obey is escaped (RFC 1035 5.1).
func TestNamesAreEscaped(t *testing.T) {
	c := newCounter(t, newClock().time)
	wire := []byte("\x05\x1b[2Jx\x06a.b\n\xff\"\x05local\x00")
	name, err := dnsname.ParseWire(wire)
	if err != nil {
		t.Fatal(err)
	}
	c.Answered(pod, &name, dns.RcodeNameError)
	r := c.Tally.Report()
	expect(t, "names", text(r.Names), `a\.b\010\255\".local.:1`)
	c.View = &resolve.View{Origins: []resolve.Origin{mustOrigin(t, "local.")}}
	c.Answered(pod, &name, dns.RcodeNameError)
	if got, want := c.Tally.Report().Names[0].Item, `\027[2jx.a\.b\010\255\".local.`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func mustOrigin(t *testing.T, text string) resolve.Origin {
	t.Helper()
	o, err := resolve.ParseOrigin(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A report is of the last ten to twenty seconds.
func TestWindows(t *testing.T) {
	now := newClock()
	c := newCounter(t, now.time)
	names, want := []string{"a.cluster.local.", "b.cluster.local.", "c.cluster.local."}, []string{
		"a.cluster.local.:1", "a.cluster.local.:1 b.cluster.local.:1", "b.cluster.local.:1 c.cluster.local.:1",
	}
	for i, name := range names {
		c.Answered(pod, nameOf(t, name), dns.RcodeSuccess)
		now.pass(span / 2)
		r := c.Tally.Report()
		expect(t, name, text(r.Names), want[i])
		if seconds := 15.0; r.Seconds != seconds || uint64(len(r.Names)) != r.Questions {
			t.Errorf("%s: %d questions in %g seconds", name, r.Questions, r.Seconds)
		}
		now.pass(span / 2)
	}
	if r := c.Tally.Report(); text(r.Names) != "c.cluster.local.:1" || r.Seconds != 10 {
		t.Errorf("%+v", r)
	}
	now.pass(span)
	if r := c.Tally.Report(); len(r.Names)+len(r.Clients)+len(r.Namespaces)+len(r.Rcodes)+int(r.Questions) > 0 {
		t.Errorf("after twenty seconds: %+v", r)
	}
	c.Answered(pod, nameOf(t, service), dns.RcodeSuccess)
	now.pass(time.Hour)
	if r := c.Tally.Report(); r.Questions > 0 || r.Seconds != 10 {
		t.Errorf("after an hour: %+v", r)
	}
}

// Where there are many questions, one stands for 16. The counts are then near to what they should be:
// within six standard deviations of a binomial distribution.
func TestSampling(t *testing.T) {
	const all = 320_000
	now := newClock()
	c := newCounter(t, now.time)
	name := nameOf(t, service)
	for i := range all {
		from := pod
		if i%16 == 0 { // as often as a question counts
			from = other
		}
		c.Answered(from, name, dns.RcodeSuccess)
		if i%100 == 0 {
			now.pass(time.Millisecond / 2)
		}
	}
	r := c.Tally.Report()
	if r.OneIn != sampled || r.Counted > all/10 {
		t.Errorf("one in %d: %d were counted", r.OneIn, r.Counted)
	}
	for _, tc := range []struct {
		what string
		got  uint64
		want float64
	}{
		{"all", r.Questions, all}, {"of one Pod", r.Clients[0].Questions, all * 15 / 16}, {"of the other", r.Clients[1].Questions, all / 16},
	} {
		if off := math.Abs(float64(tc.got) - tc.want); off > 6*math.Sqrt(sampled*tc.want) {
			t.Errorf("%s: %d, want about %g", tc.what, tc.got, tc.want)
		}
	}
	// When there are few again, each is counted.
	for range 1000 {
		now.pass(time.Second)
		c.Answered(pod, name, dns.RcodeSuccess)
	}
	if n := c.Tally.oneIn.Load(); n != 1 {
		t.Errorf("one in %d", n)
	}
}

// Clients that ask for new names, from new addresses, take no more memory than others.
func TestMemoryIsBounded(t *testing.T) {
	c := newCounter(t, newClock().time)
	label := strings.Repeat("x", 55)
	ask := func(n int) {
		var from [4]byte
		for i := range n {
			binary.BigEndian.PutUint32(from[:], uint32(i))
			name := nameOf(t, fmt.Sprintf("%08x%s.%s.%s.%s.cluster.local.", i, label, label, label, label[:20]))
			c.Add(netip.AddrFrom4(from), name, i, 1)
		}
	}
	ask(2 * counters)
	before := clustertest.Heap()
	ask(50_000)
	if grown := int64(clustertest.Heap()) - int64(before); grown > 64<<10 {
		t.Errorf("%d bytes more", grown)
	}
	r := c.Tally.Report()
	if len(r.Names) != counters || len(r.Clients) != counters || len(r.Rcodes) != counters {
		t.Errorf("%d names, %d clients, %d codes", len(r.Names), len(r.Clients), len(r.Rcodes))
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	c := newCounter(t, newClock().time)
	name := nameOf(t, service)
	if n := testing.AllocsPerRun(100, func() { c.Answered(pod, name, dns.RcodeSuccess) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// Goroutines that answer and one that reads do not disturb each other.
func TestConcurrency(t *testing.T) {
	now := newClock()
	c := newCounter(t, now.time)
	var asking sync.WaitGroup
	for i := range 8 {
		name := nameOf(t, fmt.Sprintf("%d.cluster.local.", i))
		asking.Go(func() {
			for range 1000 {
				c.Add(pod, name, dns.RcodeSuccess, 1)
			}
		})
	}
	for range 100 {
		c.Tally.Report()
	}
	asking.Wait()
	if r := c.Tally.Report(); r.Questions != 8000 || len(r.Names) != 8 || r.Names[7].Questions != 1000 {
		t.Errorf("%+v", r)
	}
}

// BenchmarkAnswered has the rate of a server that is busy, so that questions are sampled.
func BenchmarkAnswered(b *testing.B) {
	for _, tc := range []struct {
		name  string
		oneIn uint32
		names int
	}{{"each", 1, 32}, {"sampled", sampled, 32}, {"random names", sampled, 4096}} {
		b.Run(tc.name, func(b *testing.B) {
			c := newCounter(b, time.Now)
			var names []*dnsname.Name
			for i := range tc.names {
				names = append(names, nameOf(b, fmt.Sprintf("service-%d.namespace-%d.svc.cluster.local.", i, i%7)))
			}
			i := 0
			for b.Loop() {
				if tc.oneIn == 1 {
					c.Add(pod, names[i%tc.names], dns.RcodeSuccess, 1)
				} else {
					c.Answered(pod, names[i%tc.names], dns.RcodeSuccess)
				}
				i++
			}
		})
	}
}
