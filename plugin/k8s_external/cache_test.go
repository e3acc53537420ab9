package external

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/forward"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// cachedCorefile has a cache that keeps what it may for an hour.
const cachedCorefile = `example.org:PORT cluster.local:PORT 192.0.2.0/24:PORT {
    bind 127.0.0.1
    cache 3600 {
        success 9984 3600 3600
        denial 9984 3600 3600
    }
    transfer {
        to *
    }
    kubernetes cluster.local {
        manifests MANIFESTS
    }
    k8s_external example.org 192.0.2.0/24 {
        ttl 7
        fallthrough absent.example.org
    }
    forward . UPSTREAM
}
.:PORT {
    bind 127.0.0.1
    forward . UPSTREAM
}`

const balanced = `
- {apiVersion: v1, kind: Service, metadata: {name: lb, namespace: shop}, spec: {type: LoadBalancer, clusterIP: 10.96.0.3, ports: [{name: http, port: 80}]}, status: {loadBalancer: {ingress: [{hostname: lb.example.com}]}}}
`

// serveCached starts a server with an upstream that counts its questions. It also returns
// the path of the file that the server reads.
func serveCached(t *testing.T) (addr, path string, count *atomic.Int64) {
	t.Helper()
	upstream, count := countingUpstream(t)
	path = filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(path, []byte(manifest+balanced), 0o600); err != nil {
		t.Fatal(err)
	}
	addr = start(t, strings.NewReplacer("MANIFESTS", path, "UPSTREAM", upstream).Replace(cachedCorefile))
	return addr, path, count
}

// countingUpstream has an address for every name.
func countingUpstream(t *testing.T) (addr string, count *atomic.Int64) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count = new(atomic.Int64)
	started := make(chan struct{})
	server := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Name != "." { // a check whether the server runs
			count.Add(1)
		}
		m := new(dns.Msg).SetReply(r)
		if hdr := (dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}); r.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{Hdr: hdr, A: net.IPv4(192, 0, 2, 77)}}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return pc.LocalAddr().String(), count
}

// A9: a cache ahead neither delays a change nor alters a transfer.
func TestA9CacheDoesNotHoldBack(t *testing.T) {
	addr, path, _ := serveCached(t)
	for i, address := range []string{"192.0.2.1", "192.0.2.11", "192.0.2.12"} {
		if i > 0 {
			replace(t, path, strings.Replace(manifest, "192.0.2.1]", address+"]", 1))
		}
		await.True(t, 20*time.Second, "the look-up of "+address, func() bool {
			return strings.Contains(ask(t, addr, "web.shop.example.org.", dns.TypeA), "A "+address)
		})
		want := "web.shop.example.org. 7 IN A " + address
		var serial uint32
		await.True(t, 20*time.Second, "the transfer of "+address, func() bool {
			var whole string
			whole, serial = receive(t, addr, new(dns.Msg).SetAxfr("example.org."))
			for _, line := range strings.Split(whole, "\n") {
				if f := strings.Fields(line); len(f) < 2 || f[1] != "7" {
					t.Fatalf("not the TTL of the zone: %s", line)
				}
			}
			return strings.Contains(whole, want)
		})
		if got := ask(t, addr, "example.org.", dns.TypeSOA); !strings.Contains(got, fmt.Sprint(" ", serial, " ")) {
			t.Errorf("the SOA record is %s after the transfer of %d", got, serial)
		}
		if got, want := ask(t, addr, "12.2.0.192.in-addr.arpa.", dns.TypePTR), "NXDOMAIN"; i < 2 && got != want {
			t.Errorf("the name of an address that nothing has is %s", got)
		}
	}
	if got, want := ask(t, addr, "12.2.0.192.in-addr.arpa.", dns.TypePTR), "NOERROR 7 IN PTR web.shop.example.org."; got != want {
		t.Errorf("the name of the last address is %s", got)
	}
}

// A1: the cache keeps other plugins' answers for names in our zones.
func TestA1CacheKeepsOthersAnswers(t *testing.T) {
	for question, most := range map[string]int64{
		"www.absent.example.org. A":           1, // falls through
		"WWW.Absent.Example.ORG. A":           1,
		"lb.shop.example.org. A":              1, // leads to a load balancer's hostname
		"_http._tcp.lb.shop.example.org. SRV": 2, // needs the addresses of that hostname, of both families
	} {
		t.Run(question, func(t *testing.T) {
			addr, _, count := serveCached(t)
			name, qtype, _ := strings.Cut(question, " ")
			for range 10 {
				ask(t, addr, name, dns.StringToType[qtype])
			}
			if got := count.Load(); got != most {
				t.Errorf("ten questions were %d to the upstream, want %d", got, most)
			}
		})
	}
}

// ask asks, and returns the response code and the answer in short.
func ask(t *testing.T, addr, name string, qtype uint16) string {
	t.Helper()
	m, _, err := (&dns.Client{Timeout: 20 * time.Second}).Exchange(new(dns.Msg).SetQuestion(name, qtype), addr)
	if err != nil {
		t.Fatal(err)
	}
	text := dns.RcodeToString[m.Rcode]
	for _, rr := range m.Answer {
		text += " " + strings.Join(strings.Fields(rr.String())[1:], " ")
	}
	return text
}
