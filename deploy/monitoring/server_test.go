package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// server is a process of the server of this repository.
type server struct{ dns, metrics string }

// corefile is kubeadm's, with an API server, upstreams and ports of the test.
const corefile = `.:%s {
    bind 127.0.0.1
    errors
    health %s {
       lameduck 1s
    }
    ready %s
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       endpoint %s
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus %s
    forward . %s {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`

// buildServer builds the server without the plugins of clouds.
func buildServer(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "coredns")
	run(t, "go", "build", "-C", "../..", "-trimpath", "-buildvcs=false", "-tags=grpcnotrace,lean", "-o", binary, "./cmd/coredns")
	return binary
}

// startServer starts a server that ends with the test, with the variables added to its
// environment.
func startServer(t *testing.T, binary, apiServer string, upstreams []string, env ...string) server {
	t.Helper()
	addrs := freeAddresses(t, 4)
	_, port, _ := net.SplitHostPort(addrs[0]) // never fails
	file := filepath.Join(t.TempDir(), "Corefile")
	text := fmt.Sprintf(corefile, port, addrs[1], addrs[2], apiServer, addrs[3], strings.Join(upstreams, " "))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-conf", file)
	cmd.Env = append(os.Environ(), env...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", addrs[0], log.String())
		}
	})
	return server{dns: addrs[0], metrics: "http://" + addrs[3] + "/metrics"}
}

// freeAddresses returns addresses whose ports are free for TCP. They are all found before one
// is given back, so that none is found twice.
func freeAddresses(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// scrape returns the metrics of the server, or nothing while it starts.
func (s server) scrape(t *testing.T) []byte {
	t.Helper()
	response, err := http.Get(s.metrics)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ask asks once for each kind of name. The replies do not matter: what the server counts does.
func (s server) ask(network string) {
	client := &dns.Client{Net: network, Timeout: 5 * time.Second}
	for _, q := range []struct {
		name  string
		qtype uint16
	}{
		{"web.shop.svc.cluster.local.", dns.TypeA},
		{"web.shop.svc.cluster.local.", dns.TypeAAAA},
		{"db.shop.svc.cluster.local.", dns.TypeA},
		{"nobody.shop.svc.cluster.local.", dns.TypeA},
		{"host.example.", dns.TypeA},
		{"host.example.", dns.TypeAAAA},
		{"missing.example.", dns.TypeA},
		{fmt.Sprintf("new-%d.example.", dns.Id()), dns.TypeA},
		{"servfail.example.", dns.TypeA},
	} {
		_, _, _ = client.Exchange(new(dns.Msg).SetQuestion(q.name, q.qtype), s.dns)
	}
}

// startUpstream starts a name server outside the cluster, and returns its address.
func startUpstream(t *testing.T) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		switch name, _, _ := strings.Cut(r.Question[0].Name, "."); name {
		case "servfail":
			m.Rcode = dns.RcodeServerFailure
		case "missing":
			m.Rcode = dns.RcodeNameError
			soa, _ := dns.NewRR("example. 30 IN SOA ns.example. host.example. 1 60 60 60 30") // never fails
			m.Ns = []dns.RR{soa}
		default:
			if r.Question[0].Qtype == dns.TypeA {
				a, _ := dns.NewRR(r.Question[0].Name + " 30 IN A 192.0.2.1") // never fails
				m.Answer = []dns.RR{a}
			}
		}
		_ = w.WriteMsg(m) // the client may have gone
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = pc.Close() })
	return pc.LocalAddr().String()
}
