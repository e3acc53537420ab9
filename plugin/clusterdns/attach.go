package clusterdns

import (
	"fmt"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// watchers are those of the process. They outlive the instances that use them.
var watchers = watch.NewRegistry()

// attach gives a handler its data for as long as the instance runs.
func attach(c *caddy.Controller, cfg *config, d *ClusterDNS, log clog.P) {
	holder := watch.HolderOf(c)
	u := watch.Use{Holder: holder, Block: strings.Join(c.ServerBlockKeys, " ")}
	options := kube.Options{Log: log, ManifestError: collectors.ManifestError, Observer: collectors.Observer()}
	c.OnStartup(func() error {
		watchers.Sweep(watch.LiveHolders())
		cfg.source = cfg.source.Stamped()
		w, err := watchers.Acquire(cfg.source, options, u)
		if err == nil {
			d.store, d.restamp = w.Store(), w.Restamp
			d.started.Store(true)
			err = waitForSync(w, cfg.startupTimeout, holder, log)
		}
		if err != nil {
			return plugin.Error(d.name, err)
		}
		watchers.HandOver(cfg.source, w, u)
		return nil
	})
	c.OnShutdown(func() error {
		watchers.Resume()
		watchers.Release(cfg.source, u)
		return nil
	})
	// A failed reload discards the new instance without telling it.
	c.OnRestartFailed(func() error {
		watchers.Resume()
		watchers.Sweep(watch.LiveHolders())
		return nil
	})
}

// waitForSync holds up the start until the data is there, or for a while. A
// reload that has to wait longer fails instead where there is data to go on
// serving: stale answers are better than none. It waits even if a start is not to
// wait at all, since otherwise it could never come to other data.
func waitForSync(w *kube.Watcher, timeout time.Duration, h *watch.Holder, log clog.P) error {
	select {
	case <-w.Synced():
		return nil
	default:
	}
	if timeout == 0 && watchers.Synced(h) {
		timeout = defaultStartupTimeout
	}
	if timeout > 0 {
		log.Info("waiting for Kubernetes API before starting server")
	}
	select {
	case <-w.Synced():
		return nil
	case <-time.After(timeout):
	}
	if watchers.Synced(h) {
		return fmt.Errorf("no data from the API server within %s: what was loaded before goes on serving", timeout)
	}
	log.Warning("starting server with unsynced Kubernetes API")
	return nil
}
