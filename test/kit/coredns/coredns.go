// Package coredns starts CoreDNS in the process of a test.
package coredns

import (
	"bytes"
	"log"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// Input returns a Corefile for caddy.
func Input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"}
}

// Server is a CoreDNS in this process. The test must import the packages that register
// plugins.
type Server struct{ instance *caddy.Instance }

// one prevents parallel tests from starting or stopping instances at the same time: a real
// process never does so, and caddy does not support it.
var one sync.Mutex

// Start starts a server. It may not serve yet when Start returns.
func Start(corefile caddy.Input) (*Server, error) {
	one.Lock()
	defer one.Unlock()
	caddy.Quiet, dnsserver.Quiet = true, true
	instance, err := caddy.Start(corefile)
	if err != nil {
		return nil, err
	}
	return &Server{instance}, nil
}

// StartTest starts a server that ends with the test. The log of the process is dropped
// until then.
func StartTest(t testing.TB, corefile string) *Server {
	t.Helper()
	CaptureLog(t)
	s, err := Start(Input(corefile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// CaptureLog collects the log of the process until the test ends.
func CaptureLog(t testing.TB) *bytes.Buffer {
	t.Helper()
	b := new(bytes.Buffer)
	log.SetOutput(b)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return b
}

// Client returns a client with a timeout for busy machines: the default client of miekg/dns
// gives up after two seconds.
func Client(network string) *dns.Client { return &dns.Client{Net: network, Timeout: 20 * time.Second} }

// Instance returns the running instance, or nil after Stop.
func (s *Server) Instance() *caddy.Instance { return s.instance }

// UDP returns the address of the first listener for DNS over UDP.
func (s *Server) UDP() string { return s.instance.Servers()[0].LocalAddr().String() }

// TCP returns the address of the first listener for DNS over TCP.
func (s *Server) TCP() string { return s.instance.Servers()[0].Addr().String() }

// AwaitServing waits until each listener serves. CoreDNS cannot stop a listener that does
// not serve yet, which would then run beside its successor. The messages that it sends
// reach no plugin; a listener for another protocol does not answer them.
func (s *Server) AwaitServing() {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id(), Opcode: dns.OpcodeStatus}}
	for _, listener := range s.instance.Servers() {
		for network, addr := range map[string]net.Addr{"udp": listener.LocalAddr(), "tcp": listener.Addr()} {
			if addr != nil {
				_, _, _ = (&dns.Client{Net: network, Timeout: 5 * time.Second}).Exchange(m, addr.String())
			}
		}
	}
}

// AwaitFastPath waits until packets reach the plugin's own sockets and not CoreDNS's, if
// the first listener has any. The questions that it sends reach no plugin.
func (s *Server) AwaitFastPath(t testing.TB) {
	t.Helper()
	missed := func() float64 {
		return metrics.Total(t, "coredns_clusterdns_fastpath_packets_total", "server=dns://"+s.UDP(), "outcome=missed")
	}
	await.True(t, time.Minute, "packets come to the plugin's sockets", func() bool {
		before := missed()
		for range 50 {
			m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id(), Opcode: dns.OpcodeStatus}}
			if _, err := dns.Exchange(m, s.UDP()); err != nil {
				return false
			}
		}
		return missed() == before
	})
}

// Reload loads another Corefile, as SIGUSR1 makes the command do. After an error the server
// runs unchanged.
func (s *Server) Reload(corefile caddy.Input) error {
	one.Lock()
	defer one.Unlock()
	instance, err := s.instance.Restart(corefile)
	s.instance = instance
	return err
}

// Stop ends the server. It may be called twice.
func (s *Server) Stop() {
	one.Lock()
	defer one.Unlock()
	if s.instance == nil {
		return
	}
	s.instance.ShutdownCallbacks()
	_ = s.instance.Stop() // never fails
	s.instance = nil
}
