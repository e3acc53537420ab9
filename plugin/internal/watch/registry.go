// Package watch shares the watchers of clusters between server blocks, and keeps them over
// reloads: CoreDNS starts a new instance before it stops the one that serves. The last use
// of a watcher stops it.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// Registry shares watchers between those who want the same objects. A watcher
// runs for as long as anybody holds it.
type Registry struct {
	mu      sync.Mutex
	running map[kube.Config]*running
	held    []func()      // let watchers go on that are held for a reload
	longest time.Duration // that they are held, should nobody tell that it has ended
	first   *Holder       // the instance that served first
}

// longestHold is more than a reload takes that has its data.
const longestHold = 5 * time.Second

// running is a watcher that runs, with its holders and how often each holds it.
type running struct {
	watcher *kube.Watcher
	stop    context.CancelFunc
	done    chan struct{}
	ended   func()      // called once it no longer runs
	uses    map[Use]int // a server block of several zones may count more than once
}

// Use is what holds a watcher: a server block of an instance.
type Use struct {
	Holder *Holder
	Block  string // the keys of the server block
}

// heldByOthers reports whether another holder than h uses the watcher.
func (r *running) heldByOthers(h *Holder) bool {
	for u := range r.uses {
		if u.Holder != h {
			return true
		}
	}
	return false
}

// NewRegistry returns a registry in which no watcher runs.
func NewRegistry() *Registry {
	return &Registry{running: map[kube.Config]*running{}, longest: longestHold}
}

// Acquire returns the watcher for a configuration and starts it if there is none.
func (r *Registry) Acquire(cfg kube.Config, options kube.Options, u Use) (*kube.Watcher, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, ok := r.running[cfg]
	if !ok {
		w, err := kube.New(cfg, options)
		if err != nil {
			return nil, err
		}
		run = start(w)
		if o, ok := options.Observer.(interface{ End() }); ok {
			run.ended = o.End
		}
		r.running[cfg] = run
	}
	run.uses[u]++
	return run.watcher, nil
}

func start(w *kube.Watcher) *running {
	ctx, stop := context.WithCancel(context.Background())
	run := &running{watcher: w, stop: stop, done: make(chan struct{}), ended: func() {}, uses: map[Use]int{}}
	go func() {
		defer close(run.done)
		w.Run(ctx)
	}()
	return run
}

// Release gives back what Acquire returned. The last use stops the watcher, and waits for
// its end.
func (r *Registry) Release(cfg kube.Config, u Use) {
	r.mu.Lock()
	var unused []*running
	if run, ok := r.running[cfg]; ok && run.uses[u] > 0 {
		if run.uses[u]--; run.uses[u] == 0 {
			delete(run.uses, u)
		}
		unused = r.takeUnused()
	}
	r.mu.Unlock()
	end(unused)
}

// Sweep takes watchers away from holders that no longer live.
func (r *Registry) Sweep(live map[*Holder]bool) {
	r.mu.Lock()
	for _, run := range r.running {
		for u := range run.uses {
			if !live[u.Holder] {
				delete(run.uses, u)
			}
		}
	}
	unused := r.takeUnused()
	r.mu.Unlock()
	end(unused)
}

// takeUnused takes the watchers out that nothing uses. The caller must hold the mutex.
func (r *Registry) takeUnused() []*running {
	var unused []*running
	for cfg, run := range r.running {
		if len(run.uses) == 0 {
			delete(r.running, cfg)
			unused = append(unused, run)
		}
	}
	return unused
}

// end stops watchers and waits until they have ended. The caller must not hold the mutex,
// which a scrape of the metrics needs.
func end(list []*running) {
	for _, run := range list {
		run.stop()
	}
	for _, run := range list {
		<-run.done
		run.ended()
	}
}

// HandOver holds a watcher level with those before it, until the reload has ended. It
// may take a second and a quarter on top of startup_timeout, which is for the data:
// a reload is not to fail because a kind has no event that tells how far it is.
func (r *Registry) HandOver(cfg kube.Config, w *kube.Watcher, u Use) {
	old := r.before(cfg, w, u)
	if len(old) == 0 {
		return
	}
	resume := sync.OnceFunc(kube.Align(context.Background(), w, old...))
	time.AfterFunc(r.longest, resume)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, resume)
}

// before are the other watchers of the same API server, if another holder has any of
// them. They are held together: of two that are held one after the other, the first
// would be behind.
func (r *Registry) before(cfg kube.Config, w *kube.Watcher, u Use) (old []*kube.Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running[cfg].isNewUse(u) {
		return nil
	}
	served := false
	for other, run := range r.running {
		if run.watcher == w || !cfg.SameServer(other) || !run.watcher.Store().Load().Synced() {
			continue
		}
		old = append(old, run.watcher)
		served = served || run.heldByOthers(u.Holder)
	}
	if !served {
		return nil
	}
	return old
}

// isNewUse reports whether a use is the first of its holder that no other holder has: a
// server block that was served by no watcher, or by another one. Those that come behind
// the first find the watcher level already.
func (r *running) isNewUse(u Use) bool {
	for other := range r.uses {
		if other.Holder == u.Holder && other != u && r.isNew(other) {
			return false
		}
	}
	return r.isNew(u)
}

// isNew reports whether no other holder has the watcher for the server block of a use.
func (r *running) isNew(u Use) bool {
	for other := range r.uses {
		if other.Holder != u.Holder && other.Block == u.Block {
			return false
		}
	}
	return true
}

// Resume ends what HandOver began.
func (r *Registry) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resume := range r.held {
		resume()
	}
	r.held = nil
}

// Serving notes that an instance serves.
func (r *Registry) Serving(h *Holder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = h
	}
}

// Reloads reports whether another instance has served before an instance.
func (r *Registry) Reloads(h *Holder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first != nil && r.first != h
}

// Synced reports whether anybody but h holds a whole cluster.
func (r *Registry) Synced(h *Holder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.running {
		if run.heldByOthers(h) && run.watcher.Store().Load().Synced() {
			return true
		}
	}
	return false
}

// Snapshots returns the current snapshots of all watchers that run.
func (r *Registry) Snapshots() []*cluster.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*cluster.Snapshot, 0, len(r.running))
	for _, run := range r.running {
		list = append(list, run.watcher.Store().Load())
	}
	return list
}

// Holders returns how many instances hold each watcher.
func (r *Registry) Holders() map[kube.Config]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := map[kube.Config]int{}
	for cfg, run := range r.running {
		holders := map[*Holder]bool{}
		for u := range run.uses {
			holders[u.Holder] = true
		}
		held[cfg] = len(holders)
	}
	return held
}
