package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

func testServes(t *testing.T, bin string) {
	addr := freeport.Addr(t)
	start(t, bin, addr)
	question := new(dns.Msg)
	question.SetQuestion("example.org.", dns.TypeA)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		reply, err := dns.Exchange(question, addr)
		if err == nil && reply.Rcode == dns.RcodeSuccess && len(reply.Extra) == 2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer of whoami: %v, %v", reply, err)
		}
	}
}

func start(t *testing.T, bin, addr string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	corefile := filepath.Join(t.TempDir(), "Corefile")
	text := fmt.Sprintf(".:%s {\n bind %s\n whoami\n}\n", port, host)
	if err := os.WriteFile(corefile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-conf", corefile)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
