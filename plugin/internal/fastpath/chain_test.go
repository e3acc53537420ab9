package fastpath_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/hostile"
)

// sentTo is a client that keeps the reply that it receives.
type sentTo struct {
	test.ResponseWriter
	client netip.Addr
	reply  *dns.Msg
}

// stranger is the address of an unknown client.
var stranger = netip.MustParseAddr("192.0.2.1")

// WriteMsg implements dns.ResponseWriter. A message that cannot be packed is no reply.
func (w *sentTo) WriteMsg(m *dns.Msg) error {
	wire, err := m.Pack()
	if err != nil {
		return err
	}
	w.reply = new(dns.Msg)
	return w.reply.Unpack(wire)
}

// RemoteAddr implements dns.ResponseWriter.
func (w *sentTo) RemoteAddr() net.Addr { return &net.UDPAddr{IP: w.client.AsSlice(), Port: 53000} }

// chained returns CoreDNS's answer to a packet, or nil.
func chained(t testing.TB, s *udp.Backend, packet []byte) *dns.Msg {
	t.Helper()
	return chainedTo(t, s, stranger, packet)
}

// chainedTo returns CoreDNS's answer to a client.
func chainedTo(t testing.TB, s *udp.Backend, client netip.Addr, packet []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(packet); err != nil {
		t.Fatalf("%x was answered and is malformed: %v", packet, err)
	}
	w := &sentTo{client: client}
	s.Handler.ServeDNS(s.Context, w, m)
	ownEDNS(w.reply)
	return w.reply
}

// ownEDNS changes the OPT record of CoreDNS's reply into the one of our sockets.
func ownEDNS(m *dns.Msg) {
	if m == nil {
		return
	}
	if opt := m.IsEdns0(); opt != nil {
		opt.SetUDPSize(1232)
		opt.SetZ(0)
		opt.SetCo(false)
	}
}

// fastReply returns the fast path's answer to a packet, or nil if it gives none.
func fastReply(t testing.TB, r *reply.Responder, s *udp.Backend, packet []byte, out []byte) (*dns.Msg, reply.Verdict) {
	t.Helper()
	return fastReplyTo(t, r, s, stranger, packet, out)
}

// fastReplyTo returns the fast path's answer to a client.
func fastReplyTo(t testing.TB, r *reply.Responder, s *udp.Backend, client netip.Addr, packet []byte, out []byte) (*dns.Msg, reply.Verdict) {
	t.Helper()
	before := string(packet)
	wire, verdict := r.Respond(s.Zones, client, packet, out)
	if string(packet) != before {
		t.Fatalf("%x became %x", before, packet)
	}
	if verdict != reply.Answer {
		if len(wire) > len(out) {
			t.Fatalf("%x: %d octets for what is not answered", packet, len(wire))
		}
		return nil, verdict
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire[len(out):]); err != nil {
		t.Fatalf("%x: the answer %x is malformed: %v", packet, wire[len(out):], err)
	}
	return m, verdict
}

// text returns a message without what may differ: the order of records, and the choice of
// records if not all fit.
func text(m *dns.Msg) string {
	if m == nil {
		return "no reply"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%v\n", m.MsgHdr, m.Question)
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		var lines []string
		for _, rr := range section {
			if _, address := rr.(*dns.A); address && m.Truncated {
				lines = append(lines, "an address")
				continue
			}
			lines = append(lines, rr.String())
		}
		slices.Sort(lines)
		fmt.Fprintf(&b, "%d: %s\n", len(lines), strings.Join(lines, "\n"))
	}
	return b.String()
}

// chainCorefile has a listener with more specific blocks, one of them below our zone.
const chainCorefile = `
.:PORT {
    bind 127.0.0.1
    bufsize 1300
    errors
    OURS
    cache 30 cluster.local
    loadbalance
    whoami
}
elsewhere.svc.cluster.local:PORT 9.in-addr.arpa:PORT {
    bind 127.0.0.1
    whoami
}
`

func chainService(t testing.TB) *udp.Backend {
	t.Helper()
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, chainCorefile, port))
	s, reason := fastService(t, i, port)
	if s == nil {
		t.Fatal(reason)
	}
	await.True(t, time.Minute, "the cluster is there", func() bool {
		return exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA).Rcode == dns.RcodeSuccess
	})
	return s
}

// fastNames are names of the cluster, existing and not.
var fastNames = []string{
	"web.a.svc.cluster.local.", "WEB.a.Svc.cluster.LOCAL.", "db.a.svc.cluster.local.", "big.a.svc.cluster.local.",
	"out.a.svc.cluster.local.", "db-0.db.a.svc.cluster.local.", "10-1-0-3.db.a.svc.cluster.local.",
	"_http._tcp.web.a.svc.cluster.local.", "_pg._tcp.db.a.svc.cluster.local.", "_tcp.db.a.svc.cluster.local.",
	"no.a.svc.cluster.local.", "www.example.com.a.svc.cluster.local.", "a.svc.cluster.local.", "svc.cluster.local.",
	"cluster.local.", "ns.dns.cluster.local.", "dns-version.cluster.local.", "10-9-8-7.a.pod.cluster.local.",
	"www.example.com.", ".", "local.", "arpa.", "1.0.3.10.in-addr.arpa.", "1.0.1.10.in-addr.arpa.", "9.9.9.9.in-addr.arpa.",
	"3.10.in-addr.arpa.", "x.elsewhere.svc.cluster.local.", "elsewhere.svc.cluster.local.", "in-addr.arpa.", "ip6.arpa.",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
}

// fastQuestion returns a question in wire form, plain or with optional parts.
func fastQuestion(random *rand.Rand) []byte { return hostile.Question(random, fastNames) }

// TestFastPathIsTheChain asks the fast path and the chain, with correct and incorrect
// questions.
func TestFastPathIsTheChain(t *testing.T) {
	s, random := chainService(t), rand.New(rand.NewPCG(1, 2))
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	answered := 0
	for range 20000 {
		packet := fastQuestion(random)
		got, verdict := fastReply(t, r, s, packet, out)
		if verdict != reply.Answer {
			continue
		}
		answered++
		if want := chained(t, s, packet); text(got) != text(want) {
			t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
		}
	}
	if answered < 6000 {
		t.Errorf("only %d questions of 20000 were answered", answered)
	}
}

// TestFastPathAndHostilePackets sends a million corrupted packets. An answer must equal
// CoreDNS's; a reply gets no answer.
func TestFastPathAndHostilePackets(t *testing.T) {
	s, random := chainService(t), rand.New(rand.NewPCG(3, 4))
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	verdicts := map[reply.Verdict]int{}
	for range 1_000_000 {
		packet := hostile.Spoil(random, fastQuestion(random))
		got, verdict := fastReply(t, r, s, packet, out)
		verdicts[verdict]++
		if question := hostile.IsQuestion(packet); question == (verdict == reply.Ignore) {
			t.Fatalf("%x is a question: %v, and the verdict is %v", packet, question, verdict)
		}
		if verdict != reply.Answer {
			continue
		}
		if want := chained(t, s, packet); text(got) != text(want) {
			t.Fatalf("%x: got\n%s\nwant\n%s", packet, text(got), text(want))
		}
	}
	t.Log(verdicts)
}
