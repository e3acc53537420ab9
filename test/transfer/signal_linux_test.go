package transfer

import (
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

// After SIGUSR1 the zones have a new serial for their new TTL, and secondaries are notified
// of changes. Nothing else changes meanwhile that would give them a serial.
func TestReloadBySignal(t *testing.T) {
	notified := make(chan string, 1000)
	addr := upstream.Start(t, func(r *dns.Msg) *dns.Msg {
		if r.Opcode == dns.OpcodeNotify {
			notified <- r.Question[0].Name
		}
		return new(dns.Msg).SetReply(r)
	})
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := newPrimary(t, port)
	p.change(t)
	p.start(t)
	for range 2 {
		p.note(t)
		p.ttl++
		if err := os.WriteFile(p.corefilePath(), []byte(p.corefile()), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(p.cmd.Process.Pid, syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		eventually(t, p.shows)
		p.note(t)
		for len(notified) > 0 {
			<-notified
		}
		p.change(t)
		awaitNotify(t, notified)
		eventually(t, p.shows)
	}
}

// awaitNotify waits until each zone has been announced.
func awaitNotify(t *testing.T, notified <-chan string) {
	t.Helper()
	missing := map[string]bool{}
	for _, origin := range origins {
		missing[origin] = true
	}
	for late := time.After(patience); len(missing) > 0; {
		select {
		case name := <-notified:
			delete(missing, name)
		case <-late:
			t.Fatalf("no NOTIFY of %v", missing)
		}
	}
}
