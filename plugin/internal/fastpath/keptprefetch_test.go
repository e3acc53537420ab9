package fastpath_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// What the property prefetch has fetched is given at once: a question that makes the cache ask again
// gets the old reply, which is not kept.
func TestKeptRepliesAndPrefetch(t *testing.T) {
	var asked atomic.Int64
	port, _, _ := startKept(t, func(r *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(r)
		hdr := dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 6}
		m.Answer = []dns.RR{&dns.A{Hdr: hdr, A: []byte{192, 0, 2, byte(asked.Add(1))}}}
		return m
	}, "prefetch 2 1m 50%")
	// ask returns which of the upstream's answers a question gets. A flag that no question has prevents
	// the reply from being kept.
	ask := func(kept bool) int64 {
		m := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
		m.RecursionAvailable = !kept
		reply, _, err := coredns.Client("udp").Exchange(m, fastAddr(port).String())
		if err != nil || len(reply.Answer) != 1 {
			t.Fatalf("%v\n%s", err, reply)
		}
		return int64(reply.Answer[0].(*dns.A).A.To4()[3])
	}
	rounds := 0
	await.True(t, 5*time.Minute, "replies are kept", func() bool { // on a slow machine not in every round
		before, answered := asked.Load(), packets(t, port, "answered")
		await.True(t, time.Minute, "the cache asks again", func() bool {
			ask(true)
			return asked.Load() > max(before, 1)
		})
		if packets(t, port, "answered") > answered {
			rounds++
		}
		var newest int64
		await.True(t, time.Minute, "the cache has what it asked for", func() bool {
			newest = asked.Load()
			return ask(false) == newest
		})
		if got := ask(true); got < newest {
			t.Errorf("answer %d, want %d", got, newest)
		}
		return rounds == 3
	})
}
