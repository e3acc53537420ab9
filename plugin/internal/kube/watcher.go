package kube

import (
	"context"
	"sync"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// Watcher keeps a cluster.Store up to date with a cluster.
type Watcher struct {
	writer *writer
	source source
}

// source sends the changes of a cluster until ctx ends.
type source interface {
	run(ctx context.Context, out chan<- change)
}

// New makes a Watcher. It checks the selectors and files of cfg and makes the clients, but
// contacts no server. It reads manifests at once: then the store is synced when New
// returns, and anything that cannot be parsed is an error with file and line.
func New(cfg Config, opts Options) (*Watcher, error) {
	opts = opts.withDefaults()
	o := newWriter(opts.clock, opts.Observer, cfg.Published)
	o.names.Warn = func(text string) { opts.Log.Warningf("%s", text) }
	resources, err := newResources(cfg, o)
	if err != nil {
		return nil, err
	}
	if cfg.Manifests != "" {
		m := newManifests(cfg, resources, opts)
		all, err := m.load()
		if err != nil {
			return nil, err
		}
		o.apply(all)
		return &Watcher{o, m}, nil
	}
	o.names.Complain = o.names.Warn
	s, err := newServer(cfg, resources, o, opts)
	if err != nil {
		return nil, err
	}
	return &Watcher{o, s}, nil
}

// newResources makes the resources that cfg asks for. The writer waits for their first
// lists.
func newResources(cfg Config, w *writer) ([]resource, error) {
	selected, err := parseSelectors(cfg)
	if err != nil {
		return nil, err
	}
	var all []resource
	if !cfg.PublishedOnly || cfg.Published.Watches(publish.Services) {
		all = append(all, newServiceResource(cfg, selected.objects, w))
	}
	if !cfg.PublishedOnly || cfg.Published.WatchesRoutes() {
		all = append(all, newNamespaces(cfg, selected.namespaces, w))
	}
	if !cfg.NoEndpoints && !cfg.PublishedOnly {
		all = append(all, newEndpointSlices(cfg, selected.slices, w))
	}
	if cfg.Pods {
		all = append(all, newPods(cfg, selected.objects, w))
	}
	if cfg.MultiCluster {
		all = append(all, newServiceImports(cfg, w), newImportedSlices(cfg, selected.imported, w))
	}
	w.awaited, w.inherits = len(all), !cfg.PublishedOnly
	w.resources = append(all, newPublishers(cfg, w)...)
	return w.resources, nil
}

// Run applies changes to the store until ctx ends, and leaves no goroutine behind. It must
// be called only once.
func (w *Watcher) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { w.source.run(ctx, w.writer.changes) })
	w.writer.run(ctx)
}

// Store returns the store that the Watcher writes to.
func (w *Watcher) Store() *cluster.Store { return w.writer.store }

// Restamp gives the data another serial within about a second although it has not changed.
// The caller needs that when a server block shows the data in another way. It returns a
// channel that closes when the serial has changed or the Watcher has ended.
func (w *Watcher) Restamp() <-chan struct{} {
	var made <-chan struct{}
	if !w.writer.do(func() {
		made = w.writer.store.NextCheckpoint()
		w.writer.checkpoints.Restamp()
	}) {
		return w.writer.ended
	}
	return made
}

// Synced returns a channel that closes when the store has the source's whole cluster for the first
// time. A restored state is not the source's.
func (w *Watcher) Synced() <-chan struct{} { return w.writer.synced }
