package flood

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// TestRun floods a server over either transport until it has had enough.
func TestRun(t *testing.T) {
	for network, f := range map[string]Flood{"udp": {Rate: 1000}, "tcp": {Connections: 3}} {
		t.Run(network, func(t *testing.T) {
			ctx, enough := context.WithCancel(t.Context())
			var asked atomic.Int64
			to := serve(t, network, func(w dns.ResponseWriter, r *dns.Msg) {
				if host, _, _ := net.SplitHostPort(w.RemoteAddr().String()); host != from.String() || r.Question[0].Name != "flood.example." || r.IsEdns0().UDPSize() != 1232 {
					t.Errorf("from %s:\n%s", host, r)
				}
				_ = w.WriteMsg(new(dns.Msg).SetReply(r)) // the client may have gone
				if asked.Add(1) == 20 {
					enough()
				}
			})
			f.Question = func(int) (string, uint16) { return "flood.example.", dns.TypeA }
			if err := f.Run(ctx, to); err != nil || asked.Load() < 20 {
				t.Errorf("%d questions, %v", asked.Load(), err)
			}
		})
	}
}

// serve answers until the test ends.
func serve(t *testing.T, network string, h dns.HandlerFunc) (address string) {
	t.Helper()
	started := make(chan struct{})
	s := &dns.Server{Net: network, Addr: "127.0.0.1:0", Handler: h, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = s.ListenAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	if strings.HasPrefix(network, "tcp") {
		return s.Listener.Addr().String()
	}
	return s.PacketConn.LocalAddr().String()
}
