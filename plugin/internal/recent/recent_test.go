package recent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// made returns a reply with records in presentation form, its wire form, and its question's.
func made(t testing.TB, change func(*dns.Msg), records ...string) (m *dns.Msg, wire []byte) {
	t.Helper()
	m = new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	m.Response = true
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		if rr.Header().Rrtype == dns.TypeSOA || rr.Header().Rrtype == dns.TypeNS {
			m.Ns = append(m.Ns, rr)
			continue
		}
		m.Answer = append(m.Answer, rr)
	}
	if change != nil {
		change(m)
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return m, wire
}

const (
	address = "www.example.com. 30 IN A 192.0.2.1"
	other   = "www.example.com. 30 IN A 192.0.2.2"
	soa     = "example.com. 30 IN SOA ns.example.com. mail.example.com. 1 2 3 4 5"
	alias   = "www.example.com. 30 IN CNAME w.example.net."
)

// TestOf covers what is kept, and how the cache counts it.
func TestOf(t *testing.T) {
	rcode := func(rcode int) func(*dns.Msg) { return func(m *dns.Msg) { m.Rcode = rcode } }
	for name, tc := range map[string]struct {
		change   func(*dns.Msg)
		records  []string
		kept, nx bool
		denial   bool
	}{
		"an address":                 {records: []string{address}, kept: true},
		"with EDNS":                  {change: func(m *dns.Msg) { m.SetEdns0(1232, true) }, records: []string{address}, kept: true},
		"a referral":                 {records: []string{"example.com. 30 IN NS ns.example.com."}, kept: true},
		"NODATA":                     {records: []string{soa}, kept: true, denial: true},
		"an alias without addresses": {records: []string{alias, soa}, kept: true, denial: true},
		"NXDOMAIN":                   {change: rcode(dns.RcodeNameError), records: []string{soa}, kept: true, denial: true, nx: true},
		"an address and a SOA":       {records: []string{address, soa}},
		"NXDOMAIN without SOA":       {change: rcode(dns.RcodeNameError)},
		"NXDOMAIN with an alias":     {change: rcode(dns.RcodeNameError), records: []string{alias, soa}},
		"SERVFAIL":                   {change: rcode(dns.RcodeServerFailure), records: []string{soa}},
		"REFUSED":                    {change: rcode(dns.RcodeRefused), records: []string{address}},
		"a TTL of 0":                 {records: []string{address, "www.example.com. 0 IN A 192.0.2.2"}},
		"nothing":                    {},
		"nothing but EDNS":           {change: func(m *dns.Msg) { m.SetEdns0(1232, true) }},
		"a cut reply":                {change: func(m *dns.Msg) { m.Truncated = true }, records: []string{address}},
		"two questions":              {change: func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, records: []string{address}},
		"too much":                   {records: []string{fmt.Sprintf("www.example.com. 30 IN TXT%s", strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, 17))}},
	} {
		m, wire := made(t, tc.change, tc.records...)
		r, ok := of(m, wire)
		if ok != tc.kept {
			t.Errorf("%s: kept is %v", name, ok)
			continue
		}
		if ok && (r.Denial != tc.denial || r.NXDomain != tc.nx) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The size is the one that the plugin prometheus sees: without EDNS and compression.
func TestSizeIsCoreDNSs(t *testing.T) {
	plain, _ := made(t, nil, address, other)
	m, wire := made(t, func(m *dns.Msg) {
		m.SetEdns0(1232, true)
		m.Compress = true
	}, address, other)
	if r, ok := of(m, wire); !ok || r.Size != plain.Len() || r.Size < len(wire) {
		t.Errorf("%+v, want %d octets", r, plain.Len())
	}
}

// Another client gets its ID and its letter case, and the records in either order.
func TestAppend(t *testing.T) {
	for _, compress := range []bool{false, true} {
		m, wire := made(t, func(m *dns.Msg) { m.Compress = compress }, alias, "w.example.net. 30 IN A 192.0.2.1", "w.example.net. 30 IN A 192.0.2.2")
		r, ok := of(m, wire)
		if !ok || r.Fixed() {
			t.Fatalf("%+v", r)
		}
		asked := new(dns.Msg).SetQuestion("wWw.Example.COM.", dns.TypeA)
		asked.Id = m.Id + 1
		packet, err := asked.Pack()
		if err != nil {
			t.Fatal(err)
		}
		orders := map[string]bool{}
		random := rand.NewPCG(1, 2)
		for range 100 {
			got := new(dns.Msg)
			if err := got.Unpack(r.Append([]byte("ab"), packet, random)[2:]); err != nil {
				t.Fatal(err)
			}
			if got.Id != asked.Id || got.Question[0] != asked.Question[0] || len(got.Answer) != 3 || got.Answer[0].Header().Rrtype != dns.TypeCNAME {
				t.Fatalf("%v", got)
			}
			orders[fmt.Sprint(got.Answer[1:])] = true
		}
		if len(orders) != 2 {
			t.Errorf("compressed %v: %v", compress, orders)
		}
		if string(r.Append(nil, wire, nil)) != string(wire) {
			t.Error("without chance the reply changes")
		}
	}
}

// Records with names that others may point to stay where they are.
func TestFixed(t *testing.T) {
	exchangers := []string{"www.example.com. 30 IN MX 1 a.mail.example.com.", "www.example.com. 30 IN MX 2 b.mail.example.com."}
	compress := func(m *dns.Msg) { m.Compress = true }
	for _, tc := range []struct {
		change  func(*dns.Msg)
		records []string
		want    bool
	}{
		{nil, exchangers, false},
		{compress, exchangers, true},
		{compress, exchangers[:1], false},
		{compress, []string{address, other}, false},
		{compress, []string{"x.example.com. 30 IN A 192.0.2.1", "x.example.com. 30 IN A 192.0.2.2"}, true},
	} {
		m, wire := made(t, tc.change, tc.records...)
		if r, ok := of(m, wire); !ok || r.Fixed() != tc.want {
			t.Errorf("%v: fixed is %v", tc.records, r.Fixed())
		}
	}
}

// Octets that are no message are not kept, and panic nowhere.
func TestSpoiledReplies(t *testing.T) {
	m, wire := made(t, nil, alias, "w.example.net. 30 IN A 192.0.2.1")
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		spoiled := append([]byte(nil), wire...)
		if i%2 == 0 {
			spoiled = spoiled[:random.IntN(len(spoiled))]
		}
		for range random.IntN(3) {
			if len(spoiled) > 0 {
				spoiled[random.IntN(len(spoiled))] ^= byte(1 << random.IntN(8))
			}
		}
		if r, ok := of(m, spoiled); ok && r.end <= len(wire) {
			r.Append(nil, wire, random)
		}
	}
}

// keep keeps a reply under a key, and returns it.
func keep(t testing.TB, table *Table, key string, at time.Time, hits int, records ...string) *Reply {
	t.Helper()
	m, wire := made(t, nil, records...)
	r, ok := of(m, wire)
	if !ok {
		t.Fatal("not to be kept")
	}
	table.Keep([]byte(key), r, at, Prefetch{Hits: hits, Percent: 10})
	return r
}

var start = time.Unix(1000, 0)

// A reply is given for a second. Near its end, one question goes to CoreDNS.
func TestLifetime(t *testing.T) {
	table := NewTable()
	r := keep(t, table, "k", start, 0, address)
	_, packet := made(t, nil)
	at := func(age time.Duration) *Reply { return table.Find([]byte("k"), packet, start.Add(age)) }
	if at(0) != r || at(749*time.Millisecond) != r {
		t.Error("not given while it is new")
	}
	if at(950*time.Millisecond) != nil {
		t.Error("nobody asks for the next reply")
	}
	if at(950*time.Millisecond) != r || at(999*time.Millisecond) != r {
		t.Error("more than one ask for the next reply")
	}
	if at(time.Second) != nil {
		t.Error("given after a second")
	}
	if table.Find([]byte("other"), packet, start) != nil {
		t.Error("given for another key")
	}
	next := keep(t, table, "k", start.Add(time.Second), 0, address)
	keep(t, table, "k", start, 0, address) // came first, and was answered last
	if at(time.Second) != next {
		t.Error("the next reply is not given")
	}
}

// Replies that were kept together do not go to CoreDNS together again: whatever comes then would wait.
func TestRepliesAreRefreshedApart(t *testing.T) {
	const replies = 500
	table, asked := NewTable(), [20]int{} // by each hundredth of a second
	_, packet := made(t, nil)
	for i := range replies {
		keep(t, table, strconv.Itoa(i), start, 0, address)
	}
	for i := range asked {
		for k := range replies {
			age := earliest + time.Duration(i+1)*(latest-earliest)/time.Duration(len(asked))
			if table.Find([]byte(strconv.Itoa(k)), packet, start.Add(age)) == nil {
				asked[i]++
			}
		}
	}
	if most := slices.Max(asked[:]); most > replies/8 {
		t.Errorf("%d of %d are asked for at a time: %d", most, replies, asked)
	}
}

// A compressed reply is only for the letter case that it was made for.
func TestCompressedRepliesKeepTheLetterCase(t *testing.T) {
	table := NewTable()
	m, wire := made(t, func(m *dns.Msg) { m.Compress = true }, address)
	r, _ := of(m, wire)
	table.Keep([]byte("k"), r, start, Prefetch{})
	other, err := new(dns.Msg).SetQuestion("WWW.example.com.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if table.Find([]byte("k"), wire, start) != r || table.Find([]byte("k"), other, start) != nil {
		t.Error("the letter case does not count")
	}
}

// The property prefetch counts hits since the records were new, so the cache gets them all. It gets all
// questions, too, that make it ask again, and those of the second before: one of them could be the last.
func TestPrefetch(t *testing.T) {
	for title, tc := range map[string]struct {
		fresh bool // the first reply is one that the cache did not have
		hits  int
		ttls  []int
		given string // one letter for each reply
	}{
		"new":                   {true, 3, []int{30, 30, 30, 29, 28, 6, 5, 4, 3, 2}, "---++++---"},
		"new again":             {true, 2, []int{30, 30, 29, 5, 4, 3, 30, 29, 28}, "--++---++"},
		"new again with a part": {true, 2, []int{60, 60, 59, 8, 7, 60, 40}, "--++--+"},
		"nobody knows how old":  {false, 2, []int{30, 29, 28, 27, 60, 59, 58}, "-----++"},
		"as old as before":      {true, 1, []int{5, 5, 4, 3, 2, 5, 5, 3}, "-+++-+++"},
	} {
		table, at := NewTable(), start
		_, packet := made(t, nil)
		got := ""
		for i, ttl := range tc.ttls {
			m, wire := made(t, nil, fmt.Sprintf("www.example.com. %d IN A 192.0.2.1", ttl))
			var s Slot
			s.Want(at, true)
			ctx := context.WithValue(t.Context(), SlotKey{}, &s)
			if i == 0 && tc.fresh {
				Missed(ctx)
			}
			s.Offer(m, wire)
			r, _ := s.Take()
			table.Keep([]byte("k"), r, at, Prefetch{Hits: tc.hits, Percent: 10})
			if table.Find([]byte("k"), packet, at) != nil {
				got += "+"
			} else {
				got += "-"
			}
			at = at.Add(time.Second)
		}
		if got != tc.given {
			t.Errorf("%s: given %s, want %s", title, got, tc.given)
		}
	}
}

// A table has a bound, forgets the oldest first, and soon what nobody asks for.
func TestBounds(t *testing.T) {
	table := NewTable()
	_, packet := made(t, nil)
	long := fmt.Sprintf("www.example.com. 30 IN TXT%s", strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, 10))
	const many = 4000
	found := func(i int) bool { return table.Find(fmt.Appendf(nil, "%d", i), packet, start) != nil }
	for i := range many {
		keep(t, table, fmt.Sprint(i), start, 0, long)
		if table.size > maxSize {
			t.Fatalf("%d octets", table.size)
		}
	}
	first := 0
	for first < many && !found(first) {
		first++
	}
	for i := range many {
		if found(i) != (i >= first) {
			t.Fatalf("of %d, from %d on, %d is not where it should be", many, first, i)
		}
	}
	if first < many/2 || many-first < 1000 {
		t.Errorf("the first is %d", first)
	}
	keep(t, table, "last", start.Add(forgotten), 0, address)
	if n := table.order.Len(); n != 1 {
		t.Errorf("%d are left", n)
	}
}

// Look-ups need no lock.
func TestConcurrently(t *testing.T) {
	table := NewTable()
	var asking sync.WaitGroup
	_, packet := made(t, nil)
	for g := range 4 {
		asking.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 0))
			for i := range 5000 {
				key, at := fmt.Sprint(random.IntN(64)), start.Add(time.Duration(i)*time.Millisecond)
				if table.Find([]byte(key), packet, at) == nil {
					keep(t, table, key, at, 0, address)
				}
			}
		})
	}
	asking.Wait()
	size, count := 0, 0
	for e := table.order.Front(); e != nil; e = e.Next() {
		size += e.Value.(*entry).size()
		count++
	}
	if size != table.size || count > 64 {
		t.Errorf("%d of %d octets in %d entries", size, table.size, count)
	}
}

func BenchmarkFind(b *testing.B) {
	table := NewTable()
	for i := range 500 {
		keep(b, table, fmt.Sprint("www.example.com", i), start, 0, address)
	}
	_, packet := made(b, nil)
	key, out := []byte("www.example.com77"), make([]byte, 0, 512)
	for b.Loop() {
		out = table.Find(key, packet, start).Append(out[:0], packet, nil)
	}
}
