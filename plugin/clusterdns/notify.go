package clusterdns

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/transfer"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// secondaries are told to come for a zone. It is what the transfer plugin does
// for those that its property "to" names.
type secondaries interface {
	Notify(zone string) error
}

// notifier tells the secondaries of a server block about new checkpoints
// (RFC 1996). While it waits for a secondary, checkpoints may pass: it tells of
// the last only.
type notifier struct {
	secondaries secondaries
	origins     []string
	store       *zone.Store
	log         clog.P
	failed      string // what the log says already
}

// notify tells secondaries as long as the instance runs, if its server block has
// the transfer plugin.
func notify(c *caddy.Controller, server *dnsserver.Config, d *ClusterDNS, log clog.P) {
	ctx, stop := context.WithCancel(context.Background())
	holder := holderOf(c)
	c.OnStartup(func() error {
		if watchers.reloads(holder) {
			d.restamped = make(chan struct{})
		}
		return nil
	})
	onServing(c, func() {
		watchers.serving(holder)
		if t, ok := server.Handler("transfer").(*transfer.Transfer); ok {
			n := &notifier{secondaries: t, origins: forwardNames(d.transfers()), store: d.store, log: log}
			go func() {
				d.begin(ctx)
				n.run(ctx)
			}()
		}
	})
	// There is no need to wait for the end: a notification under way harms nobody,
	// and may take seconds.
	c.OnShutdown(func() error {
		stop()
		return nil
	})
}

// begin gives the zones a new serial after a reload, once the instance before has
// ended: they may have other records now, and it has sent those that they had.
func (d *ClusterDNS) begin(ctx context.Context) {
	if d.restamped == nil {
		return
	}
	select {
	case <-d.restamp():
	case <-ctx.Done():
	}
	close(d.restamped)
}

// run begins with the checkpoint that is there: a server that was away may have
// secondaries that are behind.
func (n *notifier) run(ctx context.Context) {
	told := uint32(0)
	for ctx.Err() == nil {
		next := n.store.NextCheckpoint()
		if s := n.store.LoadCheckpoint(); s.Synced() && s.Serial() != told {
			n.tell()
			told = s.Serial()
		}
		select {
		case <-ctx.Done():
		case <-next:
		}
	}
}

// tell logs a trouble once, not every second.
func (n *notifier) tell() {
	trouble := ""
	for _, origin := range n.origins {
		if err := n.secondaries.Notify(origin); err != nil {
			trouble = err.Error()
		}
	}
	if trouble != "" && trouble != n.failed {
		n.log.Warning(trouble)
	}
	n.failed = trouble
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
