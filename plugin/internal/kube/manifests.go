package kube

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest"
)

// manifests is the source that follows files.
type manifests struct {
	feeds    []*feed
	follower *manifest.Follower[[]step]
}

// step puts an object by way of a feed.
type step struct {
	feed *feed
	put  change
}

func newManifests(cfg Config, feeds []*feed, opts Options) *manifests {
	m := &manifests{feeds: feeds}
	m.follower = manifest.New(manifest.Options[[]step]{
		Paths:          strings.Split(cfg.Manifests, "\n"),
		ServiceImports: cfg.MultiCluster,
		Convert:        m.steps,
		Log:            opts.Log,
		Failed:         opts.ManifestError,
		Begin:          processThrift.begin,
		End:            processThrift.end,
		Poll:           opts.Poll,
		Clock:          opts.clock,
	})
	return m
}

// steps are those that an object takes: none if no feed is for it.
func (m *manifests) steps(kind string, obj metav1.Object) (steps []step) {
	for _, f := range m.feeds {
		if f.kind == kind && f.selects(obj) {
			steps = append(steps, step{f, f.put(obj)})
		}
	}
	return steps
}

// load reads the manifests for the first time.
func (m *manifests) load() (change, error) {
	all, err := m.follower.Load()
	if err != nil {
		return nil, err
	}
	return m.change(all), nil
}

func (m *manifests) run(ctx context.Context, out chan<- change) {
	m.follower.Run(ctx, func(all [][]step) {
		select {
		case <-ctx.Done():
		case out <- m.change(all):
		}
	})
}

// change puts all objects, and sweeps the others.
func (m *manifests) change(all [][]step) change {
	var changes []change
	for _, f := range m.feeds {
		changes = append(changes, f.begin())
		for _, steps := range all {
			for _, s := range steps {
				if s.feed == f {
					changes = append(changes, s.put)
				}
			}
		}
		changes = append(changes, f.end())
	}
	return func(txn *cluster.Txn) {
		for _, c := range changes {
			c(txn)
		}
	}
}
