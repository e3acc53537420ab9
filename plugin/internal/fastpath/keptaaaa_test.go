package fastpath_test

import (
	"fmt"
	"math/rand/v2"
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
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// silencedText returns the Corefile of kept replies with a value of the property no_aaaa.
func silencedText(t *testing.T, port int, value string, answers func(*dns.Msg) *dns.Msg) string {
	t.Helper()
	text := keptText(t, port, "", answers, keepTTL)
	return strings.Replace(text, "pods insecure", "pods insecure\n no_aaaa "+value, 1)
}

// startSilenced starts a server with that Corefile.
func startSilenced(t *testing.T, value string, answers func(*dns.Msg) *dns.Msg) (port int, i *coredns.Server, s *udp.Backend) {
	t.Helper()
	port = freePort(t)
	i = coredns.StartTest(t, silencedText(t, port, value, answers))
	s, _ = fastService(t, i, port)
	return port, i, s
}

// TestKeptWithoutAAAA checks that kept replies are those that no_aaaa has made, until a reload turns
// it off.
func TestKeptWithoutAAAA(t *testing.T) {
	var asked [2]atomic.Int64 // for A, and for AAAA
	count := func(r *dns.Msg) *dns.Msg {
		asked[min(r.Question[0].Qtype/dns.TypeAAAA, 1)].Add(1)
		return outsideReply(r)
	}
	port, i, s := startSilenced(t, "on", count)
	a := newKeptAsker(t, port, s)
	for question, want := range map[string]string{
		"four.example.com. A": "NOERROR 4 0", "four.example.com. AAAA": "NOERROR 0 1", "alias.example.com. AAAA": "NOERROR 1 1",
		"no.example.com. A": "NXDOMAIN 0 1", "no.example.com. AAAA": "NXDOMAIN 0 1",
	} {
		a.keeps(t, question, want)
	}
	if got := asked[1].Load(); got > 0 {
		t.Errorf("the upstream was asked for AAAA %d times", got)
	}
	if got := asked[0].Load(); got != 3 {
		t.Errorf("the upstream was asked for A %d times, want once for each of three names", got)
	}
	if err := i.Reload(coredns.Input(silencedText(t, port, "off", count))); err != nil {
		t.Fatal(err)
	}
	await.True(t, time.Minute, "the old server ends", func() bool {
		a.backend, _ = fastService(t, i, port)
		return a.backend != s
	})
	a.zones = a.backend.Zones
	for question, want := range map[string]string{
		"four.example.com. A": "NOERROR 4 0", "four.example.com. AAAA": "NOERROR 4 0", "alias.example.com. AAAA": "NOERROR 3 0", "no.example.com. AAAA": "NXDOMAIN 0 1",
	} {
		a.keeps(t, question, want)
	}
}

// keeps asks a question, written as "name type", until its reply is kept. Every reply, and the
// kept one, must have the code and the numbers of records in answer and authority that want says.
func (a *keptAsker) keeps(t *testing.T, question, want string) {
	t.Helper()
	packet := packed(t, question)
	check := func(wire []byte) {
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s %d %d", dns.RcodeToString[m.Rcode], len(m.Answer), len(m.Ns)); got != want {
			t.Fatalf("%s: %s, want %s\n%s", question, got, want, m)
		}
	}
	await.True(t, time.Minute, question+" is kept", func() bool {
		check(a.send(t, packet))
		kept := a.kept(packet)
		if kept != nil {
			check(kept)
		}
		return kept != nil
	})
}

// TestKeptWithoutAAAACounts asks the same with and without the fast path, and compares the metrics.
func TestKeptWithoutAAAACounts(t *testing.T) {
	var counted [2][]string
	for i, value := range []string{"off", ""} {
		t.Setenv(fastpath.Variable, value)
		silenced := metrics.Total(t, "coredns_clusterdns_no_aaaa_total")
		port, instance, s := startSilenced(t, "on", outsideReply)
		a, random := newKeptAsker(t, port, s), rand.New(rand.NewPCG(3, 4))
		for range 300 {
			packet := questionPacket(t, lasting[random.IntN(len(lasting))], []uint16{dns.TypeA, dns.TypeAAAA}[random.IntN(2)])
			for range 3 { // in a row, so that a slow machine too gives kept replies
				a.send(t, packet)
			}
		}
		if answered := packets(t, port, "answered"); value == "" && answered < 200 {
			t.Errorf("%v kept replies", answered)
		}
		instance.Stop() // a handler counts after its reply is sent
		counted[i] = metered(t, fmt.Sprintf("dns://127.0.0.1:%d", port), "coredns_dns_", "coredns_cache_")
		counted[i] = append(counted[i], fmt.Sprint("silenced ", metrics.Total(t, "coredns_clusterdns_no_aaaa_total")-silenced))
	}
	if len(counted[0]) < 14 || !slices.Equal(counted[0], counted[1]) {
		t.Errorf("with the fast path\n%s\nwithout\n%s", strings.Join(counted[1], "\n"), strings.Join(counted[0], "\n"))
	}
}
