package fastpath

import (
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// Variable is the environment variable that turns the fast path off.
const Variable = variable

// BePatient makes reloads wait for the servers of the next instance until the test ends.
func BePatient(t testing.TB) {
	before := startPatience
	startPatience = time.Hour
	t.Cleanup(func() { startPatience = before })
}

// Planned returns what an instance of CoreDNS serves at a listener, nil if nothing is, and why
// nothing is answered there. It fails for a listener that CoreDNS has not opened yet.
func Planned(i *caddy.Instance, server string) (backend *udp.Backend, reason string, ok bool) {
	f := of(i)
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.plans[server]
	if p == nil {
		return nil, "", false
	}
	if p.reason != nil {
		reason = p.reason.Error()
	}
	return p.backend, reason, true
}

// ZonesOfHead returns the zones that the first handler of the chain answers for at a server.
func ZonesOfHead(i *caddy.Instance, server string) (zones reply.Zones) {
	of(i).heads.Range(func(s, head any) bool {
		if h := head.(*tcp.Server); h != nil && s.(*dnsserver.Server).Addr == server {
			zones = h.Zones
		}
		return true
	})
	return zones
}
