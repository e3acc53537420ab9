package transfer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

const (
	// longTTL is how long the cache may keep records: longer than the test's patience, so
	// that a cached SOA record would hide the next change.
	longTTL = 3600
	// betweenChanges is the time between two changes. A record that is cached for five
	// seconds is still there after it.
	betweenChanges = 2500 * time.Millisecond
)

// A9: with a cache ahead, a secondary sees each of two changes in quick succession, in the
// cluster's zone and in the outside one, and its records have the TTL of the Corefile.
func TestA9SecondariesBehindTheCache(t *testing.T) {
	all := peers(t)
	p := newPrimary(t, ports(all)...)
	p.ttl, p.ahead = longTTL, fmt.Sprintf("cache %d", longTTL)
	p.change(t)
	p.start(t)
	for _, s := range all {
		s.start(t, p.port)
	}
	p.awaitPeers(t, all)
	for range 3 {
		changed := time.Now()
		p.change(t)
		p.awaitPeers(t, all)
		next := time.NewTimer(time.Until(changed.Add(betweenChanges)))
		<-next.C
	}
}

// awaitPeers waits until the primary shows the last change and each secondary has its zones.
func (p *primary) awaitPeers(t *testing.T, peers []peer) {
	t.Helper()
	changed := time.Now()
	for _, s := range append([]peer{{name: "the primary", port: p.port}}, peers...) {
		for _, origin := range origins {
			check := func(context.Context) error { return p.seenAt(s.port, origin) }
			await.Success(t, interval/10, patience, check)
		}
		t.Logf("%s has the change after %s", s.name, time.Since(changed).Round(time.Millisecond))
	}
	for _, s := range peers {
		for _, origin := range origins {
			eventually(t, func() error { return sameZone(p.port, s.port, origin) })
		}
	}
}
