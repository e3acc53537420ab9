package clusterdns

import (
	"context"
	"net"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	coreparse "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// Primary gives the zones of the server block to secondaries. Other handlers add their
// zones before the server block serves.
func (d *ClusterDNS) Primary() *xfr.Primary { return d.primary }

// Transfer is what the plugin transfer calls.
func (d *ClusterDNS) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return d.primary.Transfer(xfr.ClusterZones{View: &d.view}, name, serial)
}

// feedSecondaries prepares what the primary needs, and tells secondaries of changes for
// as long as the instance runs.
func feedSecondaries(c *caddy.Controller, d *ClusterDNS) {
	ctx, stop := context.WithCancel(context.Background())
	holder := watch.HolderOf(c)
	renewed := make(chan struct{})
	c.OnStartup(func() error {
		d.primary.Store = d.store
		if watchers.Reloads(holder) {
			d.primary.Renewed = renewed
		}
		policy, err := transferPolicy(c)
		d.primary.Policy = policy
		return err
	})
	onServing(c, func() {
		watchers.Serving(holder)
		if len(d.primary.Policy) == 0 {
			return
		}
		go func() {
			if d.primary.Renewed != nil {
				renew(ctx, d)
				close(renewed)
			}
			d.primary.Notify(ctx)
		}()
	})
	// There is no need to wait for the end: a notification under way harms nobody,
	// and may take seconds.
	c.OnShutdown(func() error {
		stop()
		return nil
	})
}

// renew gives the zones a new serial after a reload, once the instance before has
// ended: they may have other records now, and it has sent those that they had.
func renew(ctx context.Context, d *ClusterDNS) {
	select {
	case <-d.restamp():
	case <-ctx.Done():
	}
}

// transferPolicy is what the directives transfer of the server block say. The plugin
// transfer keeps it to itself.
func transferPolicy(c *caddy.Controller) (xfr.Policy, error) {
	blocks, err := corefile.Blocks(c)
	if err != nil || c.ServerBlockIndex >= len(blocks) {
		return nil, err
	}
	b := blocks[c.ServerBlockIndex]
	return parseTransfer(b.Tokens["transfer"], b.Zones()), nil
}

// parseTransfer reads what the plugin transfer has read without an error.
func parseTransfer(tokens []caddyfile.Token, zones []string) xfr.Policy {
	var policy xfr.Policy
	for d := caddyfile.NewDispenserTokens("Corefile", tokens); d.Next(); {
		rule := xfr.Rule{Zones: plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), zones)}
		for d.NextBlock() {
			switch property, args := d.Val(), d.RemainingArgs(); property {
			case "to":
				rule.To = append(rule.To, withPort(args)...)
			case "source":
				rule.Source = net.ParseIP(args[0])
			}
		}
		policy = append(policy, rule)
	}
	return policy
}

// withPort adds the port that hosts have unless they say so.
func withPort(hosts []string) []string {
	var list []string
	for _, host := range hosts {
		if addr, err := coreparse.HostPort(host, transport.Port); err == nil && host != "*" {
			host = addr
		}
		list = append(list, host)
	}
	return list
}

// servingKey is where an instance keeps what is to begin once it serves.
type servingKey struct{}

func init() { caddy.RegisterEventHook("clusterdns", beginServing) }

// onServing has a function called when the sockets of the instance are open: a
// secondary that is told sooner finds nobody. An instance whose start fails never
// gets there, and nobody would tell it to stop.
func onServing(c *caddy.Controller, begin func()) {
	list, _ := c.Get(servingKey{}).([]func())
	c.Set(servingKey{}, append(list, begin))
}

func beginServing(event caddy.EventName, about any) error {
	i, ok := about.(*caddy.Instance)
	if event != caddy.InstanceStartupEvent || !ok {
		return nil
	}
	i.StorageMu.RLock()
	list, _ := i.Storage[servingKey{}].([]func())
	i.StorageMu.RUnlock()
	for _, begin := range list {
		begin()
	}
	return nil
}
