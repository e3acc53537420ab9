package clusterdns

import (
	"context"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// registry shares watchers between those who want the same objects. A watcher
// runs for as long as anybody holds it.
type registry struct {
	mu      sync.Mutex
	running map[kube.Config]*running
	held    []func()      // let watchers go on that are held for a reload
	longest time.Duration // that they are held, should nobody tell that it has ended
	first   *holder       // the instance that served first
}

// longestHold is more than a reload takes that has its data.
const longestHold = 5 * time.Second

// running is a watcher that runs, with its holders and how often each holds it.
type running struct {
	watcher *kube.Watcher
	stop    context.CancelFunc
	done    chan struct{}
	ended   func() // called once it no longer runs
	holders map[*holder]int
}

func newRegistry() *registry {
	return &registry{running: map[kube.Config]*running{}, longest: longestHold}
}

// acquire returns the watcher for a configuration and starts it if there is none.
func (r *registry) acquire(cfg kube.Config, options kube.Options, h *holder) (*kube.Watcher, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, ok := r.running[cfg]
	if !ok {
		w, err := kube.New(cfg, options)
		if err != nil {
			return nil, err
		}
		run = start(w)
		if o, ok := options.Observer.(*observer); ok {
			run.ended = o.end
		}
		r.running[cfg] = run
	}
	run.holders[h]++
	return run.watcher, nil
}

func start(w *kube.Watcher) *running {
	ctx, stop := context.WithCancel(context.Background())
	run := &running{watcher: w, stop: stop, done: make(chan struct{}), ended: func() {}, holders: map[*holder]int{}}
	go func() {
		defer close(run.done)
		w.Run(ctx)
	}()
	return run
}

// release gives back what acquire returned. The last holder stops the watcher.
func (r *registry) release(cfg kube.Config, h *holder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	run, ok := r.running[cfg]
	if !ok || run.holders[h] == 0 {
		return
	}
	if run.holders[h]--; run.holders[h] == 0 {
		delete(run.holders, h)
	}
	r.stopUnheld(cfg, run)
}

// sweep takes watchers away from holders that no longer live.
func (r *registry) sweep(live map[*holder]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for cfg, run := range r.running {
		for h := range run.holders {
			if !live[h] {
				delete(run.holders, h)
			}
		}
		r.stopUnheld(cfg, run)
	}
}

func (r *registry) stopUnheld(cfg kube.Config, run *running) {
	if len(run.holders) > 0 {
		return
	}
	run.stop()
	<-run.done
	run.ended()
	delete(r.running, cfg)
}

// handOver holds a watcher level with those before it, until the reload has ended. It
// may take a second and a quarter on top of startup_timeout, which is for the data:
// a reload is not to fail because a kind has no event that tells how far it is.
func (r *registry) handOver(cfg kube.Config, w *kube.Watcher, h *holder) {
	old := r.before(cfg, w, h)
	if len(old) == 0 {
		return
	}
	resume := sync.OnceFunc(kube.HandOver(context.Background(), w, old...))
	time.AfterFunc(r.longest, resume)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, resume)
}

// before are the other watchers of the same API server, if another holder has any of
// them. They are held together: of two that are held one after the other, the first
// would be behind.
func (r *registry) before(cfg kube.Config, w *kube.Watcher, h *holder) (old []*kube.Watcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running[cfg].comesTo(h) {
		return nil
	}
	served := false
	for other, run := range r.running {
		if run.watcher == w || !cfg.SameServer(other) || !run.watcher.Store().Load().Synced() {
			continue
		}
		old = append(old, run.watcher)
		served = served || len(run.holders) > 1 || run.holders[h] == 0
	}
	if !served {
		return nil
	}
	return old
}

// comesTo says whether what a holder acquired last is the first that no other holder
// has: a server block that was served by no watcher, or by another one. What comes
// behind the first finds the watcher level already.
func (r *running) comesTo(h *holder) bool {
	most := 0
	for other, n := range r.holders {
		if other != h {
			most = max(most, n)
		}
	}
	return r.holders[h] == most+1
}

// goOn ends what handOver began.
func (r *registry) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resume := range r.held {
		resume()
	}
	r.held = nil
}

// serving notes that an instance serves.
func (r *registry) serving(h *holder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = h
	}
}

// reloads reports whether another instance has served before an instance.
func (r *registry) reloads(h *holder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first != nil && r.first != h
}

// synced says whether anybody but h holds a whole cluster.
func (r *registry) synced(h *holder) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.running {
		for other := range run.holders {
			if other != h && run.watcher.Store().Load().Synced() {
				return true
			}
		}
	}
	return false
}
