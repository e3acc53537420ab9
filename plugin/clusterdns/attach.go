package clusterdns

import (
	"fmt"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// watchers are those of the process. They outlive the instances that use them.
var watchers = newRegistry()

// attach gives a handler its data for as long as the instance runs.
func attach(c *caddy.Controller, cfg *config, d *ClusterDNS, log clog.P) {
	holder := holderOf(c)
	u := use{holder, strings.Join(c.ServerBlockKeys, " ")}
	options := kube.Options{Log: log, ManifestError: metrics.manifestErrors.Inc, Observer: newObserver(metrics)}
	c.OnStartup(func() error {
		watchers.sweep(liveHolders())
		cfg.source = cfg.source.Stamped()
		w, err := watchers.acquire(cfg.source, options, u)
		if err == nil {
			d.store, d.restamp = w.Store(), w.Restamp
			d.started.Store(true)
			err = waitForSync(w, cfg.startupTimeout, holder, log)
		}
		if err != nil {
			return plugin.Error(d.name, err)
		}
		watchers.handOver(cfg.source, w, u)
		return nil
	})
	c.OnShutdown(func() error {
		watchers.goOn()
		watchers.release(cfg.source, u)
		return nil
	})
	// A failed reload discards the new instance without telling it.
	c.OnRestartFailed(func() error {
		watchers.goOn()
		watchers.sweep(liveHolders())
		return nil
	})
}

// waitForSync holds up the start until the data is there, or for a while. A
// reload that has to wait longer fails instead where there is data to go on
// serving: stale answers are better than none. It waits even if a start is not to
// wait at all, since otherwise it could never come to other data.
func waitForSync(w *kube.Watcher, timeout time.Duration, h *holder, log clog.P) error {
	select {
	case <-w.Synced():
		return nil
	default:
	}
	if timeout == 0 && watchers.synced(h) {
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
	if watchers.synced(h) {
		return fmt.Errorf("no data from the API server within %s: what was loaded before goes on serving", timeout)
	}
	log.Warning("starting server with unsynced Kubernetes API")
	return nil
}

// holder stands for a caddy.Instance, which a plugin cannot see.
type holder struct{ _ byte }

type holderKey struct{}

// holderOf is the holder of the instance that a controller belongs to.
func holderOf(c *caddy.Controller) *holder {
	if h, ok := c.Get(holderKey{}).(*holder); ok {
		return h
	}
	h := new(holder)
	c.Set(holderKey{}, h)
	return h
}

// liveHolders are the holders of the instances that run or start.
func liveHolders() map[*holder]bool {
	live := map[*holder]bool{}
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if h, ok := i.Storage[holderKey{}].(*holder); ok {
			live[h] = true
		}
		i.StorageMu.RUnlock()
	}
	return live
}
