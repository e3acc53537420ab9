package clusterdns

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// patient is a client that bears with a busy machine. The library's own gives up after
// two seconds.
func patient(network string) *dns.Client {
	return &dns.Client{Net: network, Timeout: 20 * time.Second}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	await.True(t, time.Minute, what, condition)
}

// leastAllocs is how many allocations a function needs that uses memory again. Under
// the race detector a sync.Pool forgets some of it by chance.
func leastAllocs(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for range 50 {
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}
