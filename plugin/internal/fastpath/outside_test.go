package fastpath_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/coredns/coredns/plugin/forward"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/upstream"
)

// TestFastPathAsksTheCache covers the plugins with which the goroutine that reads looks up
// a name outside: a cache, and no plugin ahead of it that may wait.
func TestFastPathAsksTheCache(t *testing.T) {
	for lines, want := range map[string]bool{
		"errors\ncache 30\nloadbalance\nprometheus 127.0.0.1:0":               true,
		"cache 30 {\n disable success cluster.local\n}\nautopath @kubernetes": true,
		"errors\nloadbalance":              false,
		"log . {\n class error\n}\ncache":  false,
		"log . {\n class denial\n}\ncache": false,
	} {
		t.Run(lines, func(t *testing.T) {
			if got := blockBehind(t, lines).Cache; got != want {
				t.Errorf("cache: %v", got)
			}
		})
	}
}

// blockBehind returns what the fast path serves with lines ahead of ours.
func blockBehind(t *testing.T, lines string) *reply.Block {
	t.Helper()
	port := freePort(t)
	i := coredns.StartTest(t, fastCorefile(t, ".:PORT {\n bind 127.0.0.1\n"+lines+"\nOURS\n}", port))
	service, reason := fastService(t, i, port)
	if service == nil || len(service.Zones) != 1 {
		t.Fatal(reason)
	}
	return service.Zones[0].Block
}

// heldUpstream starts an outside server that answers nothing until its gate opens.
func heldUpstream(t *testing.T, gate <-chan struct{}) (addr string) {
	t.Helper()
	return upstream.Start(t, func(r *dns.Msg) *dns.Msg {
		<-gate
		return upstream.Address(r, 30)
	})
}

// waitingCorefile is kubeadm's, reduced to what names outside need.
const waitingCorefile = `
.:PORT {
    bind 127.0.0.1
    errors
    OURS
    prometheus 127.0.0.1:0
    forward . UPSTREAM
    cache 30 {
       prefetch 1 30s 90%
       serve_stale 1m verify
    }
    loadbalance
}
`

// Questions for names in the cluster and in the cache are answered while others wait for a
// silent upstream.
func TestFastPathDoesNotWaitForUpstreams(t *testing.T) {
	gate, port := make(chan struct{}), freePort(t)
	text := strings.Replace(waitingCorefile, "UPSTREAM", heldUpstream(t, gate), 1)
	i := coredns.StartTest(t, fastCorefile(t, text, port))
	service, reason := fastService(t, i, port)
	if service == nil || !service.Zones[0].Block.Cache {
		t.Fatalf("the cache is not asked: %s", reason)
	}
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const waiting = 200
	for n := range waiting {
		packet, err := new(dns.Msg).SetQuestion(fmt.Sprintf("www-%d.example.com.", n), dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		if m := exchange(t, port, "web.a.svc.cluster.local.", dns.TypeA); len(m.Answer) != 1 {
			t.Fatalf("no answer:\n%s", m)
		}
	}
	close(gate)
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for n := range waiting {
		if _, err := conn.Read(make([]byte, 512)); err != nil {
			t.Fatalf("after %d replies of %d: %v", n, waiting, err)
		}
	}
	for range 1000 { // from the cache, which refreshes them meanwhile
		if m := exchange(t, port, "www-1.example.com.", dns.TypeA); len(m.Answer) != 1 {
			t.Fatalf("no answer:\n%s", m)
		}
	}
}

// deadFor starts an upstream that answers only for names that begin with www.
func deadFor(t *testing.T) (addr string) {
	t.Helper()
	return upstream.Start(t, func(r *dns.Msg) *dns.Msg {
		if !strings.HasPrefix(r.Question[0].Name, "www.") {
			return nil
		}
		return upstream.Address(r, 3600)
	})
}

// However many questions wait for a dead upstream, names in the cache and aliases to them
// are answered.
func TestB2DeadUpstreamBlocksNoCachedName(t *testing.T) {
	port := freePort(t)
	text := strings.NewReplacer("UPSTREAM", deadFor(t), "cache 30", "cache 3600").Replace(waitingCorefile) // on a busy machine the flood lasts
	i := coredns.StartTest(t, fastCorefile(t, text, port))
	service, reason := fastService(t, i, port)
	if service == nil || !service.Zones[0].Block.Cache {
		t.Fatalf("the cache is not asked: %s", reason)
	}
	atHand := []string{"www.example.com.", "out.a.svc.cluster.local."}
	for _, name := range atHand {
		await.True(t, time.Minute, "the answer is there", func() bool { return len(exchange(t, port, name, dns.TypeA).Answer) > 0 })
	}
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	flood := func(from, count int) {
		for n := range count {
			packet, err := new(dns.Msg).SetQuestion(fmt.Sprintf("dead-%d.example.com.", from+n), dns.TypeA).Pack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write(packet) // the client's buffer may be full
		}
	}
	var flooding sync.WaitGroup
	done := make(chan struct{})
	flooding.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; !isClosed(done); n += 50 {
			flood(n, 50)
			<-tick.C
		}
	})
	defer flooding.Wait()
	defer close(done)
	await.True(t, time.Minute, "more wait than may", func() bool { return packets(t, port, "dropped") > 0 })
	lost := 0.0
	for range 100 {
		for _, name := range atHand {
			m, _, err := coredns.Client("udp").Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), fastAddr(port).String())
			switch {
			case err != nil:
				lost++
			case len(m.Answer) == 0:
				t.Fatalf("%s:\n%v", name, m)
			}
		}
	}
	if lost > 4 {
		t.Fatalf("%v of 200 questions have no answer", lost)
	}
	what := fmt.Sprintf("the %v questions without an answer are among the packets that the kernel has dropped", lost)
	await.True(t, time.Minute, what, func() bool { return packets(t, port, "lost") >= lost }) // a listener counts them every few seconds
}
