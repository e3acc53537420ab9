package fastpath_test

import (
	"log"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/dns64"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/tsig"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/locked"
)

// handOverCorefile has lines that keep the fast path from answering, or that it could judge
// without the plugin tsig beside them.
const handOverCorefile = `
.:PORT {
    bind 127.0.0.1
    LINES
    OURS
    loadbalance
    whoami
}
`

// startLines starts a server with these Corefile lines, and returns its port.
func startLines(t *testing.T, lines string) int {
	t.Helper()
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, strings.Replace(handOverCorefile, "LINES", lines, 1), port))
	service, reason := fastService(t, i, port)
	if off := os.Getenv(fastpath.Variable) == "off"; (service == nil) != off || reason == "" {
		t.Fatalf("off: %v, for the reason %q", service == nil, reason)
	}
	await.True(t, time.Minute, "the cluster is there", func() bool {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA), fastAddr(port).String())
		return err == nil && m.Rcode != dns.RcodeServerFailure
	})
	return port
}

// bothWays starts two servers: one whose packets our sockets hand over, and one with
// CoreDNS's own sockets alone.
func bothWays(t *testing.T, lines string) (ours, own int) {
	t.Helper()
	ours = startLines(t, lines)
	t.Setenv(fastpath.Variable, "off")
	return ours, startLines(t, lines)
}

// bothAsker has a socket for each of two servers.
type bothAsker struct{ conns [2]net.Conn }

func newBothAsker(t *testing.T, ports ...int) *bothAsker {
	t.Helper()
	a := new(bothAsker)
	for i, port := range ports {
		conn, err := net.Dial("udp", fastAddr(port).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		a.conns[i] = conn
	}
	return a
}

// settle waits until packets arrive at our sockets only.
func (a *bothAsker) settle(t *testing.T, port int) {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	await.True(t, time.Minute, "packets come to our sockets", func() bool {
		before := packets(t, port, "missed")
		for range 50 {
			a.ask(t, packet)
		}
		return packets(t, port, "missed") == before
	})
}

// ask returns the replies of both servers to a packet.
func (a *bothAsker) ask(t *testing.T, packet []byte) [2]string {
	t.Helper()
	var said [2]string
	for i, conn := range a.conns {
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 1<<16)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%x: %v", packet, err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(buf[:n]); err != nil {
			t.Fatalf("%x: %x: %v", packet, buf[:n], err)
		}
		if i == 1 {
			ownEDNS(m)
		}
		said[i] = ownNumber.ReplaceAllString(text(m), "$1 NUMBER")
	}
	return said
}

// ownNumber matches numbers that differ: the client's port in an answer of whoami, and the
// serial.
var ownNumber = regexp.MustCompile(`(SRV\t0 0|hostmaster\.\S+) \d+`)

// unjudged are lines of a plugin that must see every question, and changes none without a signature.
const unjudged = "tsig {\n secret key. c2VjcmV0c2VjcmV0c2VjcmV0\n}"

// TestHandedOverIsTheSame sends the same questions to our sockets and to CoreDNS's own,
// behind plugins that must see or change answers.
func TestHandedOverIsTheSame(t *testing.T) {
	for _, lines := range []string{
		"log . {\n class all\n}",
		unjudged + "\nrewrite name exact asked.a.svc.cluster.local web.a.svc.cluster.local\nrewrite stop {\n name regex (.*)\\.short {1}.a.svc.cluster.local\n answer name (.*)\\.a\\.svc\\.cluster\\.local {1}.short\n}",
		unjudged + "\nacl {\n block type AAAA net 127.0.0.0/8\n filter type SRV net 127.0.0.0/8\n}",
		unjudged + "\ntemplate ANY A {\n match ^no\\.\n answer \"{{ .Name }} 5 IN A 192.0.2.9\"\n fallthrough\n}",
		"view v {\n expr incidr(client_ip(), '127.0.0.0/8') && server_ip() == '127.0.0.1' && type() != 'TXT'\n}",
		"header {\n response set ra\n}",
		unjudged + "\nminimal",
		unjudged + "\ndns64 {\n translate_all\n}",
		unjudged,
	} {
		t.Run(strings.Fields(strings.TrimPrefix(lines, unjudged+"\n"))[0], func(t *testing.T) {
			ours, own := bothWays(t, lines)
			a, random := newBothAsker(t, ours, own), rand.New(rand.NewPCG(7, 8))
			names := len(fastNames)
			defer func() { fastNames = fastNames[:names] }()
			fastNames = append(fastNames, "asked.a.svc.cluster.local.", "web.short.", "Db.short.")
			a.settle(t, ours)
			before := packets(t, ours, "handed_over")
			const count = 1500
			for range count {
				packet := fastQuestion(random)
				if said := a.ask(t, packet); said[0] != said[1] {
					t.Fatalf("%x: ours\n%s\nCoreDNS's own\n%s", packet, said[0], said[1])
				}
			}
			await.True(t, time.Minute, "all was handed over", func() bool { return packets(t, ours, "handed_over") >= before+count })
			if n := packets(t, ours, "answered") + packets(t, ours, "dropped") + packets(t, own, "handed_over"); n > 0 {
				t.Errorf("%v packets went another way", n)
			}
		})
	}
}

// TestHandedOverIsLogged compares what the plugin log writes on both ways; it names
// addresses.
func TestHandedOverIsLogged(t *testing.T) {
	ours, own := bothWays(t, `log . "{remote} {local} {proto} {name} {type} {rcode} {size} {rsize} {>do} {>rflags}"`)
	var written locked.Buffer
	log.SetOutput(&written)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	a := newBothAsker(t, ours, own)
	for _, name := range fastNames {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(1232, true).Pack()
		if err != nil {
			t.Fatal(err)
		}
		a.ask(t, packet)
	}
	var lines []string
	// The lines are written after the replies, and there is one more for the name that out
	// is an alias of.
	await.True(t, time.Minute, "all lines", func() bool {
		lines = regexp.MustCompile(`127\.0\.0\.1 \S+ udp \S+ A .*`).FindAllString(written.String(), -1)
		return len(lines) == 2*(len(fastNames)+1)
	})
	slices.Sort(lines)
	for i := 0; i < len(lines); i += 2 {
		if lines[i] != lines[i+1] || !strings.HasPrefix(lines[i], "127.0.0.1 127.0.0.1 udp ") {
			t.Errorf("one says %s, the other %s", lines[i], lines[i+1])
		}
	}
}

// TestHandedOverIsSigned sends questions with valid and invalid signatures (RFC 8945 5.2,
// 5.3).
func TestHandedOverIsSigned(t *testing.T) {
	const key, secret, wrong = "key.", "c2VjcmV0c2VjcmV0c2VjcmV0", "d3Jvbmd3cm9uZ3dyb25nd3Jv"
	ours, own := bothWays(t, "tsig {\n secret key. "+secret+"\n require all\n}")
	for _, tc := range []struct {
		title, key, secret string
		age                time.Duration
		rcode              int
		fault              uint16 // in the TSIG record of the reply
	}{
		{title: "unsigned", rcode: dns.RcodeRefused},
		{title: "right", key: key, secret: secret},
		{title: "of another key", key: "other.", secret: secret, rcode: dns.RcodeNotAuth, fault: dns.RcodeBadKey},
		{title: "wrong", key: key, secret: wrong, rcode: dns.RcodeNotAuth, fault: dns.RcodeBadSig},
		{title: "old", key: key, secret: secret, age: time.Hour, rcode: dns.RcodeNotAuth, fault: dns.RcodeBadTime},
	} {
		for _, port := range []int{ours, own} {
			m := new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA)
			packet, err := m.Pack()
			if tc.key != "" {
				m.SetTsig(tc.key, dns.HmacSHA256, 300, time.Now().Add(-tc.age).Unix())
				packet, _, err = dns.TsigGenerate(m, tc.secret, "", false)
			}
			if err != nil {
				t.Fatal(err)
			}
			reply := exchangePacket(t, port, packet)
			fault, signed := uint16(0), false
			if s := reply.IsTsig(); s != nil {
				fault, signed = s.Error, s.MACSize > 0
			}
			if reply.Rcode != tc.rcode || fault != tc.fault || signed != (tc.fault == 0 && tc.key != "" || tc.fault == dns.RcodeBadTime) {
				t.Errorf("%s, to the port %d of %d and %d: signed %v\n%s", tc.title, port, ours, own, signed, reply)
			}
		}
	}
}

func exchangePacket(t *testing.T, port int, packet []byte) *dns.Msg {
	t.Helper()
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(buf[:n]); err != nil {
		t.Fatal(err)
	}
	return m
}
