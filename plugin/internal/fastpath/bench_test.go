package fastpath_test

import (
	"net"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// kubeadmChain has the plugins of kubeadm's Corefile that a question in our zones passes
// through.
const kubeadmChain = `
ZONE:PORT {
    bind 127.0.0.1
    errors
    PLUGIN
    prometheus 127.0.0.1:0
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loadbalance
}
`

// packer is a client that receives replies in wire form.
type packer struct {
	test.ResponseWriter
	buf  [4096]byte
	size int
}

// RemoteAddr implements dns.ResponseWriter.
func (*packer) RemoteAddr() net.Addr { return benchClient }

var benchClient = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 53000}

// WriteMsg implements dns.ResponseWriter.
func (w *packer) WriteMsg(m *dns.Msg) error {
	wire, err := m.PackBuffer(w.buf[:])
	w.size = len(wire)
	return err
}

// BenchmarkChain measures a question through the plugins of kubeadm's Corefile, without the
// network. The plugin whoami, which does next to nothing, shows CoreDNS's share.
func BenchmarkChain(b *testing.B) {
	port := freePort(b)
	ours := strings.NewReplacer("ZONE", ".", "PLUGIN", "OURS").Replace(kubeadmChain)
	floor := strings.NewReplacer("ZONE", "whoami.example", "PLUGIN", "whoami").Replace(kubeadmChain)
	i := coredns.StartTest(b, fastCorefile(b, ours+floor, port))
	s, reason := fastService(b, i, port)
	if s == nil {
		b.Fatal(reason)
	}
	for _, question := range []string{
		"web.a.svc.whoami.example. A",
		"web.a.svc.cluster.local. A",
		"web.a.svc.cluster.local. AAAA",
		"db.a.svc.cluster.local. A",
		"_http._tcp.web.a.svc.cluster.local. SRV",
		"db.a.svc.cluster.local. SRV",
		"1.0.3.10.in-addr.arpa. PTR",
		"www.example.com.a.svc.cluster.local. A",
	} {
		name, qtype, _ := strings.Cut(question, " ")
		b.Run(question, func(b *testing.B) {
			benchmarkChain(b, s, new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]))
		})
	}
}

func benchmarkChain(b *testing.B, s *udp.Backend, question *dns.Msg) {
	packet, err := question.Pack()
	if err != nil {
		b.Fatal(err)
	}
	var w packer
	done := make(chan error)
	b.ReportAllocs()
	for b.Loop() {
		// In a goroutine for each question, whose stack must grow, as in CoreDNS.
		go func() {
			m := new(dns.Msg)
			err := m.Unpack(packet)
			if err == nil {
				s.Handler.ServeDNS(s.Context, &w, m)
			}
			done <- err
		}()
		if err := <-done; err != nil || w.size == 0 {
			b.Fatal("no reply: ", err)
		}
	}
}

// BenchmarkRespond is what an answer costs at the sockets, without the network, where names are
// completed.
func BenchmarkRespond(b *testing.B) {
	b.Setenv("CLUSTERDNS_SEARCH", "names")
	s := chainService(b)
	r, out := reply.NewResponder(), make([]byte, 0, 1<<17)
	for _, question := range []string{
		"web.a.svc.cluster.local. A",
		"web.a.svc.cluster.local. AAAA",
		"db.a.svc.cluster.local. A",
		"_http._tcp.web.a.svc.cluster.local. SRV",
		"1.0.3.10.in-addr.arpa. PTR",
		"no.a.svc.cluster.local. A",
		"web.a.svc.cluster.local.a.svc.cluster.local. A",
	} {
		name, qtype, _ := strings.Cut(question, " ")
		b.Run(question, func(b *testing.B) {
			packet, err := new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]).SetEdns0(1232, false).Pack()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, verdict := r.Respond(s.Zones, stranger, packet, out); verdict != reply.Answer {
					b.Fatal(verdict)
				}
			}
		})
	}
}
