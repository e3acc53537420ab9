package watch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// DefaultTimeout is how long a start waits for the first sync, unless the Corefile says
// otherwise.
const DefaultTimeout = 5 * time.Second

// Need is what a server block needs from a watcher.
type Need struct {
	Directive string                // prefix of errors
	Place     string                // in the Corefile, for errors
	Source    func() kube.Config    // returns the objects to watch; called when the instance starts
	Options   kube.Options          // Log must be set
	Timeout   time.Duration         // how long the start waits for the first sync
	State     State                 // where what the watcher knows is kept
	Use       func(w *kube.Watcher) // receives the watcher, which may not be synced yet
}

// Attach provides a server block with its data as long as the controller's instance runs.
func (r *Registry) Attach(c *caddy.Controller, n Need) {
	u := use{instance: instanceOf(c), block: strings.Join(c.ServerBlockKeys, " ")}
	var source kube.Config
	begin := func() {}
	c.OnStartup(func() error {
		r.sweep(liveInstances())
		source = n.Source().Stamped()
		if n.State.Path != "" && !r.syncedBeside(u.instance) {
			n.Options.Begin, begin = r.hold()
		}
		w, err := r.acquire(source, n.Options, u)
		if err != nil {
			return n.fail(err)
		}
		n.Use(w)
		k, err := r.keep(source, n.State, n.Options.Log, u, begin)
		if err != nil {
			return n.fail(err)
		}
		if err := r.waitForSync(w, k, u.instance, n.Timeout, n.Options.Log); err != nil {
			return n.fail(err)
		}
		r.align(source, w, u)
		r.succeed(source, w, u)
		return nil
	})
	OnServing(c, func() {
		r.serving(u.instance)
		begin()
	})
	c.OnShutdown(func() error {
		r.resume()
		r.release(source, u)
		return nil
	})
	// A failed reload discards the new instance without calling its OnShutdown.
	c.OnRestartFailed(func() error {
		r.resume()
		r.sweep(liveInstances())
		return nil
	})
}

// fail returns the error of a start, with the place in the Corefile that led to it.
func (n *Need) fail(err error) error {
	return plugin.Error(n.Directive, fmt.Errorf("%s - %w", n.Place, err))
}

// waitForSync makes a start wait until the data is there, but no longer than timeout. After
// that a start goes on without data, but a reload fails if the previous instance has data:
// stale answers are better than none. A reload waits even with a timeout of zero, since it
// could otherwise never change to other data. It fails as well if the previous instance has
// ended by then: the process ends, and this instance would answer meanwhile. What a keeper
// restores is data as well.
func (r *Registry) waitForSync(w *kube.Watcher, k *keeper, i *instance, timeout time.Duration, log kube.Logger) error {
	select {
	case <-w.Synced():
		return nil
	default:
	}
	reloads := r.syncedBeside(i)
	if timeout == 0 && reloads {
		timeout = DefaultTimeout
	}
	if timeout > 0 {
		log.Infof("waiting for Kubernetes API before starting server")
	}
	var restored <-chan struct{}
	if k != nil {
		restored = k.restored
	}
	select {
	case <-w.Synced():
		return nil
	case <-restored:
		return nil
	case <-time.After(timeout):
	}
	if reloads || r.syncedBeside(i) {
		return fmt.Errorf("no data from the API server within %s: the previous configuration keeps serving", timeout)
	}
	log.Warningf("starting server with unsynced Kubernetes API")
	return nil
}

// Reloads reports whether another instance served before the controller's instance.
func (r *Registry) Reloads(c *caddy.Controller) bool {
	i := instanceOf(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first != nil && r.first != i
}

// serving records that an instance serves.
func (r *Registry) serving(i *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = i
	}
}

// instance identifies a caddy.Instance, which a plugin cannot see.
type instance struct{ _ byte }

type instanceKey struct{}

// instanceOf returns the instance that a controller belongs to.
func instanceOf(c *caddy.Controller) *instance {
	if i, ok := c.Get(instanceKey{}).(*instance); ok {
		return i
	}
	i := new(instance)
	c.Set(instanceKey{}, i)
	return i
}

// liveInstances returns the instances that run or are starting.
func liveInstances() map[*instance]bool {
	live := map[*instance]bool{}
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if own, ok := i.Storage[instanceKey{}].(*instance); ok {
			live[own] = true
		}
		i.StorageMu.RUnlock()
	}
	return live
}

// servingKey is the key of an instance's functions that are called when it serves.
type servingKey struct{}

const servingHook = "clusterdns"

var hooking sync.Mutex

// hook makes caddy call callServing. Each new instance must do so, because caddy forgets
// all hooks when a signal makes it reload.
func hook() {
	hooking.Lock()
	defer hooking.Unlock()
	if !slices.Contains(caddy.ListPlugins()["event_hooks"], servingHook) {
		caddy.RegisterEventHook(servingHook, callServing)
	}
}

// OnServing makes caddy call begin once the sockets of the instance are open. It is never
// called in an instance whose start fails, because such an instance gets no call to stop
// either.
func OnServing(c *caddy.Controller, begin func()) {
	hook()
	list, _ := c.Get(servingKey{}).([]func())
	c.Set(servingKey{}, append(list, begin))
}

func callServing(event caddy.EventName, about any) error {
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
