package fastpath_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/hostile"
	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

// keptCorefile is kubeadm's, reduced to what names outside need. The cache keeps TTLs as they are.
const keptCorefile = `
.:PORT {
    bind 127.0.0.1
    errors
    LINES
    OURS
    prometheus 127.0.0.1:0
    forward . UPSTREAM {
        prefer_udp
    }
    cache {
       CACHE
    }
    loadbalance
}
`

// outsideNames are names outside the cluster whose first label says how they are answered.
var outsideNames = []string{
	"one.example.com.", "four.example.com.", "many.example.com.", "alias.example.com.", "dead-end.example.com.",
	"mail.example.com.", "nodata.example.com.", "no.example.com.", "long.example.com.", "extra.example.com.",
	"fails.example.com.", "zero.example.com.", "empty.example.com.", "refers.example.com.",
}

// lasting are those whose replies are kept for many forms of a question. Long replies are not cut
// only with EDNS.
var lasting = []string{
	"one.example.com.", "four.example.com.", "alias.example.com.", "dead-end.example.com.", "mail.example.com.", "nodata.example.com.", "no.example.com.",
}

// outsideReply answers for outsideNames.
func outsideReply(r *dns.Msg) *dns.Msg {
	m, q := new(dns.Msg).SetReply(r), r.Question[0]
	m.RecursionAvailable = true
	soa := record("example.com. 300 IN SOA ns.example.com. mail.example.com. 1 2 3 4 300")
	count := 1
	switch kind, _, _ := strings.Cut(strings.ToLower(q.Name), "."); kind {
	case "four":
		count = 4
	case "many":
		count = 40
	case "alias":
		m.Answer = append(m.Answer, record(q.Name+" 300 IN CNAME to.example.net."))
		q.Name = "to.example.net."
		count = 2
	case "dead-end":
		m.Answer, m.Ns = append(m.Answer, record(q.Name+" 300 IN CNAME to.example.net.")), append(m.Ns, soa)
		return m
	case "mail":
		for i := range 3 {
			m.Answer = append(m.Answer, record(fmt.Sprintf("%s 300 IN MX %d %s.example.com.", q.Name, i, strings.Repeat("m", i+1))))
		}
		return m
	case "nodata":
		m.Ns = append(m.Ns, soa)
		return m
	case "no":
		m.Rcode, m.Ns = dns.RcodeNameError, append(m.Ns, soa)
		return m
	case "long":
		m.Answer = append(m.Answer, record(fmt.Sprintf("%s 300 IN TXT %q %q %q", q.Name, strings.Repeat("x", 250), strings.Repeat("y", 250), strings.Repeat("z", 250))))
		return m
	case "extra":
		m.Extra = append(m.Extra, record("a.example.com. 300 IN A 192.0.2.7"), record("b.example.com. 300 IN A 192.0.2.8"))
	case "fails":
		m.Rcode = dns.RcodeServerFailure
		return m
	case "empty":
		return m
	case "refers":
		m.Ns = append(m.Ns, record("example.com. 300 IN NS ns.example.com."))
		return m
	}
	for i := range count {
		m.Answer = append(m.Answer, record(fmt.Sprintf("%s 300 IN %s", q.Name, data(q.Qtype, i))))
	}
	if strings.HasPrefix(strings.ToLower(q.Name), "zero") {
		m.Answer[0].Header().Ttl = 0
	}
	return m
}

func record(text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return rr
}

// data returns type and data of the i-th record for a question.
func data(qtype uint16, i int) string {
	switch qtype {
	case dns.TypeAAAA:
		return fmt.Sprintf("AAAA 2001:db8::%x", i+1)
	case dns.TypeTXT:
		return fmt.Sprintf("TXT %d", i)
	}
	return fmt.Sprintf("A 192.0.2.%d", i+1)
}

// startKept starts a server with properties of the cache in front of an upstream.
func startKept(t testing.TB, answers func(*dns.Msg) *dns.Msg, cache string) (port int, i *coredns.Server, s *udp.Backend) {
	t.Helper()
	return startKeptBehind(t, "", answers, cache)
}

// startKeptBehind does so with lines ahead of the cache.
func startKeptBehind(t testing.TB, lines string, answers func(*dns.Msg) *dns.Msg, cache string) (port int, i *coredns.Server, s *udp.Backend) {
	t.Helper()
	port = freePort(t)
	i = coredns.StartTest(t, keptText(t, port, lines, answers, cache))
	s, _ = fastService(t, i, port)
	return port, i, s
}

func keptText(t testing.TB, port int, lines string, answers func(*dns.Msg) *dns.Msg, cache string) string {
	t.Helper()
	return fastCorefile(t, strings.NewReplacer("LINES", lines, "UPSTREAM", upstream.Start(t, answers), "CACHE", cache).Replace(keptCorefile), port)
}

// keepTTL makes replies of the chain and kept ones have the same TTLs. The cache has room for all: what
// it drops, at random, is asked for again in the spelling of another client, which the upstream repeats.
const keepTTL = "keepttl\n success 1000000 3600 0\n denial 1000000 3600 0"

// Kept replies are those of the chain, whatever the flags, the size, the options and the letter
// case of the question.
func TestKeptRepliesAreTheChains(t *testing.T) {
	port, i, s := startKept(t, outsideReply, keepTTL)
	t.Run("datagrams", func(t *testing.T) { compareKept(t, newKeptAsker(t, port, s)) })
	t.Run("stream", func(t *testing.T) { compareKept(t, newStreamAsker(t, i, port, s)) })
}

func compareKept(t *testing.T, a *keptAsker) {
	t.Helper()
	random, kept := rand.New(rand.NewPCG(7, 8)), map[string]int{}
	for range 3000 {
		packet := hostile.Question(random, outsideNames)
		if random.IntN(2) == 0 { // or most types are rare
			packet = hostileAddress(random)
		}
		m := new(dns.Msg)
		if m.Unpack(packet) == nil && a.compare(t, random, packet) {
			kept[m.Question[0].Name]++
		}
	}
	for _, name := range lasting {
		if kept[name] < 20 {
			t.Errorf("%d replies for %s are kept", kept[name], name)
		}
	}
	for _, name := range []string{"fails.example.com.", "zero.example.com.", "empty.example.com."} {
		if kept[name] > 0 {
			t.Errorf("%d replies for %s are kept", kept[name], name)
		}
	}
	t.Log(kept)
}

// TestKeptRepliesBehindLines checks that lines which people write leave kept replies alone, but for
// those to questions that the lines touch.
func TestKeptRepliesBehindLines(t *testing.T) {
	const all = "one.example.com. A,one.example.com. AAAA,four.example.com. A,no.example.com. A,alias.example.com. A"
	for lines, never := range map[string]string{
		"rewrite name exact one.example.com four.example.com":                  "one.example.com. A,one.example.com. AAAA",
		"rewrite stop name regex .*[.]corp[.]example$ one.example.com":         "",
		"rewrite stop type AAAA A":                                             "one.example.com. AAAA",
		"rewrite ttl exact four.example.com 7\nrewrite class CH IN":            "four.example.com. A",
		"acl example.com {\n block type AAAA net 127.0.0.0/8\n}":               "one.example.com. AAAA",
		"acl four.example.com {\n filter\n}":                                   "four.example.com. A",
		"dns64 {\n allow_ipv4\n}":                                              "one.example.com. AAAA",
		"dns64":                                                                "",
		"log . {\n class denial error\n}":                                      "no.example.com. A",
		"autopath @kubernetes":                                                 "",
		"local\nheader {\n response set aa\n}\ntemplate ANY AAAA corp.example": "",
	} {
		t.Run(lines, func(t *testing.T) {
			port, _, s := startKeptBehind(t, lines, outsideReply, keepTTL)
			a, random := newKeptAsker(t, port, s), rand.New(rand.NewPCG(7, 8))
			for question := range strings.SplitSeq(all, ",") {
				packet := packed(t, question)
				if want := !slices.Contains(strings.Split(never, ","), question); !want {
					for range 20 {
						a.compareNever(t, packet)
					}
				} else {
					await.True(t, time.Minute, question+" is kept", func() bool { return a.compare(t, random, packet) })
				}
			}
		})
	}
}

// compareNever fails the test if the reply to a question is kept.
func (a *keptAsker) compareNever(t *testing.T, packet []byte) {
	t.Helper()
	a.send(t, packet)
	if a.kept(packet) != nil {
		t.Fatalf("the reply to %x is kept", packet)
	}
}

// hostileAddress returns a question for an address, in any form.
func hostileAddress(random *rand.Rand) []byte {
	packet := hostile.Question(random, outsideNames)
	for i := 12; ; i += 1 + int(packet[i]) {
		if packet[i] == 0 {
			binary.BigEndian.PutUint16(packet[i+1:], []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX}[random.IntN(3)])
			return packet
		}
	}
}

// FuzzKeptReplies compares kept replies with the chain's.
func FuzzKeptReplies(f *testing.F) {
	port, i, s := startKept(f, outsideReply, keepTTL)
	for n := range 2 * len(outsideNames) {
		f.Add(uint8(n), dns.TypeA, uint16(1<<8), uint16(n*300), n%3 > 0, n%2 > 0)
	}
	f.Fuzz(func(t *testing.T, name uint8, qtype, flags, size uint16, edns, do bool) {
		m := new(dns.Msg).SetQuestion(outsideNames[int(name)%len(outsideNames)], qtype)
		if edns {
			m.SetEdns0(size, do)
		}
		packet, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		const bits = 1<<10 | 1<<9 | 1<<8 | 1<<7 | 1<<6 | 1<<5 | 1<<4 | 15 // all but QR and opcode
		binary.BigEndian.PutUint16(packet[2:], flags&bits)
		h := fnv.New64()
		_, _ = h.Write(packet)
		for _, a := range []*keptAsker{newKeptAsker(t, port, s), newStreamAsker(t, i, port, s)} {
			a.compare(t, rand.New(rand.NewPCG(h.Sum64(), 0)), packet)
		}
	})
}

// The plugin loadbalance changes the order of addresses in kept replies too.
func TestKeptRepliesAreShuffled(t *testing.T) {
	port, _, s := startKept(t, outsideReply, keepTTL)
	a := newKeptAsker(t, port, s)
	packet := questionPacket(t, "alias.example.com.", dns.TypeA)
	first := map[string]int{}
	for range 200 {
		wire := a.kept(packet)
		if wire == nil {
			a.send(t, packet)
			continue
		}
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil || len(m.Answer) != 3 || m.Answer[0].Header().Rrtype != dns.TypeCNAME {
			t.Fatalf("%v\n%s", err, m)
		}
		first[m.Answer[1].String()]++
	}
	if len(first) != 2 {
		t.Errorf("first is %v", first)
	}
}

func questionPacket(t testing.TB, name string, qtype uint16) []byte {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion(name, qtype).Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// patient makes the cache keep everything for as long as a test takes on a slow machine.
const patient = "success 1000000 3600 300\n denial 1000000 3600 300\n servfail 5m"

// Kept replies count as those of the chain, in the metrics of prometheus and of the cache.
func TestKeptRepliesCount(t *testing.T) {
	for _, stream := range []bool{false, true} {
		countKept(t, stream)
	}
}

func countKept(t *testing.T, stream bool) {
	t.Helper()
	var counted [2][]string
	for i, value := range []string{"off", ""} {
		t.Setenv(fastpath.Variable, value)
		port, instance, s := startKept(t, outsideReply, patient)
		a, random := newKeptAsker(t, port, s), rand.New(rand.NewPCG(9, 10))
		if stream {
			a = newStreamAsker(t, instance, port, s)
		}
		answered := 0
		for range 1000 {
			packet := hostileAddress(random)
			for range 3 { // in a row, so that a slow machine too gives kept replies
				a.send(t, packet)
			}
			if a.kept(packet) != nil {
				answered++
			}
		}
		if value == "" && (answered < 250 || !stream && packets(t, port, "answered") < 500) {
			t.Errorf("stream %v: %d replies are kept", stream, answered)
		}
		instance.Stop() // a handler counts after its reply is sent
		counted[i] = metered(t, fmt.Sprintf("dns://127.0.0.1:%d", port), "coredns_dns_", "coredns_cache_")
	}
	if len(counted[0]) < 14 || !slices.Equal(counted[0], counted[1]) {
		t.Errorf("with the fast path\n%s\nwithout\n%s", strings.Join(counted[1], "\n"), strings.Join(counted[0], "\n"))
	}
}

// A reload forgets what was kept.
func TestReloadForgetsKeptReplies(t *testing.T) {
	port, i, s := startKept(t, outsideReply, keepTTL)
	a, packet := newKeptAsker(t, port, s), questionPacket(t, "one.example.com.", dns.TypeA)
	await.True(t, time.Minute, "the reply is kept", func() bool {
		a.send(t, packet)
		return a.kept(packet) != nil
	})
	other := func(r *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(r)
		m.Answer = []dns.RR{record(r.Question[0].Name + " 300 IN A 198.51.100.1")}
		return m
	}
	if err := i.Reload(coredns.Input(keptText(t, port, "", other, keepTTL))); err != nil {
		t.Fatal(err)
	}
	await.True(t, time.Minute, "the old server ends", func() bool {
		now, _ := fastService(t, i, port)
		return now != s
	})
	if m := exchange(t, port, "one.example.com.", dns.TypeA); !strings.Contains(m.String(), "198.51.100.1") {
		t.Errorf("after the reload:\n%s", m)
	}
}

// A reply is given out no longer than its TTL and a second after it was first seen, and what the upstream
// says anew is found.
func TestKeptRepliesAge(t *testing.T) {
	var made atomic.Uint32
	port, _, s := startKept(t, func(r *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(r)
		address := binary.BigEndian.AppendUint32(nil, made.Add(1))
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: address}}
		return m
	}, "success 1000 3600 0")
	a, packet := newKeptAsker(t, port, s), questionPacket(t, "clock.example.com.", dns.TypeA)
	seen := map[uint32]time.Time{}
	oldest := time.Duration(0)
	for len(seen) < 4 {
		sent := time.Now()
		m := new(dns.Msg)
		if err := m.Unpack(a.send(t, packet)); err != nil || len(m.Answer) != 1 {
			t.Fatalf("%v\n%s", err, m)
		}
		at := binary.BigEndian.Uint32(m.Answer[0].(*dns.A).A.To4())
		if seen[at].IsZero() {
			seen[at] = time.Now()
		}
		oldest = max(oldest, sent.Sub(seen[at]))
		if m.Answer[0].Header().Ttl != 1 {
			t.Fatalf("the TTL is %d", m.Answer[0].Header().Ttl)
		}
	}
	if oldest > 2*time.Second {
		t.Errorf("a reply was %v old", oldest)
	}
	if n := packets(t, port, "answered"); n < 100 {
		t.Errorf("%v replies were kept ones", n)
	}
}

// While a name is asked for all the time, its next reply is asked for once.
func TestNextReplyIsAskedForOnce(t *testing.T) {
	var asked atomic.Int64
	port, _, s := startKept(t, func(r *dns.Msg) *dns.Msg {
		asked.Add(1)
		return outsideReply(r)
	}, keepTTL)
	a, packet := newKeptAsker(t, port, s), questionPacket(t, "one.example.com.", dns.TypeA)
	await.True(t, time.Minute, "the reply is kept", func() bool {
		a.send(t, packet)
		return a.kept(packet) != nil
	})
	before, begin := packets(t, port, "handed_over"), time.Now()
	sent := 0
	for ; time.Since(begin) < 2500*time.Millisecond; sent++ {
		a.send(t, packet)
	}
	// A reply is kept for a second, of which a tenth is left when the next is asked for: once, and
	// once more if the machine stood still meanwhile.
	most := 2 * (1 + time.Since(begin).Seconds()/0.9)
	if n := packets(t, port, "handed_over") - before; n < 2 || n > most {
		t.Errorf("%v of %d questions went to the chain, want two to %.0f", n, sent, most)
	}
	if asked.Load() != 1 {
		t.Errorf("%d questions to the upstream", asked.Load())
	}
}

// Nothing is kept where a plugin ahead of the cache may answer each client differently, or
// where the cache does not say what is stale.
func TestKeepsNothing(t *testing.T) {
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolv, []byte("search example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]bool{
		"cache": true,
		"errors\ncache 30\nloadbalance\nprometheus 127.0.0.1:0\nbufsize 1232": true,
		"log . {\n class error\n}\ncache":                                     true,
		"metadata\ncache {\n serve_stale 1h verify 2s\n}":                     true,
		"cache {\n prefetch 10 1m 10%\n}":                                     true,
		"cache {\n prefetch 10 500ms\n}":                                      false,
		"cache {\n prefetch 10 2s 20%\n}":                                     false,
		"cache {\n prefetch 1 500ms\n}":                                       true,
		"hosts {\n 192.0.2.1 a.example\n fallthrough\n}\ncache":               true,
		"errors\nloadbalance":                                                 false,
		"log . {\n class denial\n}\ncache":                                    true,
		"cache\nautopath @kubernetes":                                         true,
		"cache\nautopath RESOLV":                                              false,
		"rewrite name a.example b.example\ncache":                             true,
		"rewrite cname exact a.example. b.example.\ncache":                    false,
		"acl {\n block type MX\n}\ncache":                                     true,
		"dns64\ncache":                                                        true,
		"local\ncache":                                                        true,
		"cache {\n serve_stale 1h immediate 30s\n}":                           false,
		"cache {\n serve_stale 1h verify 2s 30s\n}":                           false,
		"cache {\n serve_stale\n keepttl\n}":                                  false,
		"cache {\n prefetch 2\n keepttl\n}":                                   false,
	} {
		t.Run(lines, func(t *testing.T) {
			if got := blockBehind(t, strings.Replace(lines, "RESOLV", resolv, 1)).Keep; (got != nil) != want {
				t.Errorf("%+v", got)
			}
		})
	}
}
