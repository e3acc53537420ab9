package kube

import (
	"context"
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Watcher keeps a zone.Store in line with a cluster.
type Watcher struct {
	owner  *owner
	source source
}

// source is where objects come from. It sends changes until ctx ends.
type source interface {
	run(ctx context.Context, out chan<- change)
}

// New makes a Watcher. It checks the selectors and files of cfg and makes the
// clients, but talks to no server. Manifests are read at once: the store is synced when
// New returns, and what does not parse is an error with file and line.
func New(cfg Config, opts Options) (*Watcher, error) {
	opts = opts.withDefaults()
	o := newOwner(opts.clock, opts.Observer)
	feeds, err := newFeeds(cfg, o)
	if err != nil {
		return nil, err
	}
	if cfg.Manifests != "" {
		m := newManifests(cfg, feeds, opts)
		all, err := m.load()
		if err != nil {
			return nil, err
		}
		o.apply(all)
		return &Watcher{o, m}, nil
	}
	s, err := newServer(cfg, feeds, opts)
	if err != nil {
		return nil, err
	}
	return &Watcher{o, s}, nil
}

// Run brings changes into the store until ctx ends, and leaves no goroutine
// behind. It may be called once.
func (w *Watcher) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { w.source.run(ctx, w.owner.changes) })
	w.owner.run(ctx)
}

// Store is the store that the Watcher writes to.
func (w *Watcher) Store() *cluster.Store { return w.owner.store }

// Restamp gives the data another serial within about a second, though it has not
// changed: what a server block shows of it has. It returns a channel that is closed then.
func (w *Watcher) Restamp() <-chan struct{} {
	asked := make(chan (<-chan struct{}), 1)
	w.owner.send(func(*cluster.Txn) {
		asked <- w.owner.store.NextCheckpoint()
		w.owner.restamp()
	})
	select {
	case made := <-asked:
		return made
	case <-w.owner.ended:
		return w.owner.ended
	}
}

// Synced is closed when the store has a whole cluster for the first time.
func (w *Watcher) Synced() <-chan struct{} { return w.owner.synced }
