// Package watch shares the watchers of clusters between server blocks, and keeps them
// across reloads: CoreDNS starts a new instance before it stops the one that serves.
// Releasing the last use of a watcher stops it.
//
// The rule not to break: a reload must never replace good data by older data or by none.
package watch

import (
	"context"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
)

// Registry shares watchers between server blocks that need the same objects. A watcher runs
// as long as any server block uses it.
type Registry struct {
	mu       sync.Mutex
	running  map[kube.Config]*running
	resumes  []func()      // each resumes watchers that are paused, or keep their serial, for a reload
	maxPause time.Duration // after which paused watchers resume even if the reload has not ended
	first    *instance     // the instance that served first

	keepers []*keeper          // in the order in which they began
	wrote   map[string]*keeper // by path, the last that has written the file
	times   times
	write   func(path string, h state.Header, s *cluster.Snapshot) error
}

// maxPause is longer than a reload with data takes.
const maxPause = 5 * time.Second

// running is a running watcher with its uses.
type running struct {
	watcher *kube.Watcher
	stop    context.CancelFunc
	done    chan struct{}
	ended   func()      // called after the watcher has ended
	uses    map[use]int // a server block of several zones may count more than once
}

// use identifies the user of a watcher: a server block of an instance.
type use struct {
	instance *instance
	block    string // the keys of the server block
}

// usedBeside reports whether another instance uses the watcher.
func (r *running) usedBeside(i *instance) bool {
	for u := range r.uses {
		if u.instance != i {
			return true
		}
	}
	return false
}

// NewRegistry returns a registry in which no watcher runs.
func NewRegistry() *Registry {
	return &Registry{running: map[kube.Config]*running{}, maxPause: maxPause, wrote: map[string]*keeper{}, times: keeperTimes, write: state.Write}
}

// acquire returns the watcher for a configuration, and starts it if there is none.
func (r *Registry) acquire(cfg kube.Config, options kube.Options, u use) (*kube.Watcher, error) {
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
	run := &running{watcher: w, stop: stop, done: make(chan struct{}), ended: func() {}, uses: map[use]int{}}
	go func() {
		defer close(run.done)
		w.Run(ctx)
	}()
	return run
}

// release ends a use of the watcher that acquire returned. If it was the last one, it stops
// the watcher and waits for its end.
func (r *Registry) release(cfg kube.Config, u use) {
	r.mu.Lock()
	if run, ok := r.running[cfg]; ok && run.uses[u] > 0 {
		if run.uses[u]--; run.uses[u] == 0 {
			delete(run.uses, u)
		}
	}
	r.unlockAndEnd()
}

// sweep ends the uses of instances that no longer live.
func (r *Registry) sweep(live map[*instance]bool) {
	r.mu.Lock()
	for _, run := range r.running {
		for u := range run.uses {
			if !live[u.instance] {
				delete(run.uses, u)
			}
		}
	}
	r.unlockAndEnd()
}

// unlockAndEnd ends keepers and watchers without a use. The caller must hold the mutex, which it
// unlocks first: a scrape of the metrics needs it.
func (r *Registry) unlockAndEnd() {
	keepers, unused := r.unusedKeepers(), r.takeUnused()
	r.mu.Unlock()
	r.endKeepers(keepers)
	end(unused)
}

// takeUnused removes the watchers without a use and returns them. The caller must hold the
// mutex.
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

// align brings a watcher to the same state as those that served before it, and pauses all
// of them until the reload has ended. It may take a second and a quarter in addition to
// startup_timeout, which is for the data: a reload must not fail because a kind has no
// event that shows its version.
func (r *Registry) align(cfg kube.Config, w *kube.Watcher, u use) {
	old := r.before(cfg, w, u)
	if len(old) == 0 {
		return
	}
	resume := sync.OnceFunc(kube.Align(context.Background(), w, old...))
	time.AfterFunc(r.maxPause, resume)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumes = append(r.resumes, resume)
}

// succeed keeps the serial from going back when a server block moves to a watcher, whatever its
// source is. Neither that watcher nor those that served before get another serial until the reload
// has ended.
func (r *Registry) succeed(cfg kube.Config, w *kube.Watcher, u use) {
	old := r.servedBefore(cfg, w, u)
	if len(old) == 0 {
		return
	}
	release := sync.OnceFunc(kube.Succeed(w, old...))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumes = append(r.resumes, release)
}

// servedBefore returns the other watchers with data that another instance uses, if the server block
// moves to the watcher.
func (r *Registry) servedBefore(cfg kube.Config, w *kube.Watcher, u use) (old []*kube.Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running[cfg].isNewUse(u) {
		return nil
	}
	for _, run := range r.running {
		if run.watcher != w && run.usedBeside(u.instance) && run.watcher.Store().Load().Synced() {
			old = append(old, run.watcher)
		}
	}
	return old
}

// before returns the other watchers of the same API server, if another instance uses any of
// them. They must be paused together: if two were paused one after another, the first would
// be behind.
func (r *Registry) before(cfg kube.Config, w *kube.Watcher, u use) (old []*kube.Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running[cfg].isNewUse(u) {
		return nil
	}
	served := false
	for other, run := range r.running {
		if s := run.watcher.Store().Load(); run.watcher == w || !cfg.SameServer(other) || !s.Synced() || s.RestoredAsOf() != 0 {
			continue
		}
		old = append(old, run.watcher)
		served = served || run.usedBeside(u.instance)
	}
	if !served {
		return nil
	}
	return old
}

// isNewUse reports whether a use is the first of its instance for a server block that the
// previous instance served from no watcher, or from another one. For later uses, the
// watcher is already aligned.
func (r *running) isNewUse(u use) bool {
	for other := range r.uses {
		if other.instance == u.instance && other != u && r.isNew(other) {
			return false
		}
	}
	return r.isNew(u)
}

// isNew reports whether no other instance uses the watcher for the same server block.
func (r *running) isNew(u use) bool {
	for other := range r.uses {
		if other.instance != u.instance && other.block == u.block {
			return false
		}
	}
	return true
}

// resume ends what align and succeed have done to watchers for the time of a reload.
func (r *Registry) resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resume := range r.resumes {
		resume()
	}
	r.resumes = nil
}

// syncedBeside reports whether another instance has the data of a whole cluster.
func (r *Registry) syncedBeside(i *instance) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.running {
		if run.usedBeside(i) && run.watcher.Store().Load().Synced() {
			return true
		}
	}
	return false
}

// Snapshots returns the current snapshots of all running watchers.
func (r *Registry) Snapshots() []*cluster.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*cluster.Snapshot, 0, len(r.running))
	for _, run := range r.running {
		list = append(list, run.watcher.Store().Load())
	}
	return list
}
