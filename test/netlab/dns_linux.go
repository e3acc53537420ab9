package netlab

import (
	"net"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/reuseport"
	"github.com/miekg/dns"
)

// ServeDNS serves DNS at the address over UDP and TCP until the test ends. Other
// servers may listen at all addresses of the same port.
func ServeDNS(t *testing.T, address string, handler dns.Handler) {
	t.Helper()
	listener, err := reuseport.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := reuseport.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	ServeOn(t, listener, conn, handler)
}

// ServeOn serves DNS over both sockets until the test ends.
func ServeOn(t *testing.T, listener net.Listener, conn net.PacketConn, handler dns.Handler) {
	t.Helper()
	serve(t, &dns.Server{Listener: listener, Handler: handler})
	serve(t, &dns.Server{PacketConn: conn, Handler: handler})
}

func serve(t *testing.T, s *dns.Server) {
	t.Helper()
	started, ended := make(chan struct{}), make(chan error, 1)
	s.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- s.ActivateAndServe() }()
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
