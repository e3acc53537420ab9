package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest"
)

// manifests is the source that follows manifest files.
type manifests struct {
	resources []resource
	follower  *manifest.Follower[[]step]
}

// step puts an object through a resource.
type step struct {
	resource resource
	put      change
}

func newManifests(cfg Config, resources []resource, opts Options) *manifests {
	m := &manifests{resources: resources}
	m.follower = manifest.New(manifest.Options[[]step]{
		Paths:          cfg.manifestPaths(),
		ServiceImports: cfg.MultiCluster,
		Convert:        m.steps,
		Log:            opts.Log,
		Failed:         opts.ManifestError,
		Begin:          processGC.begin,
		End:            processGC.end,
		Poll:           opts.Poll,
		Clock:          opts.clock,
	})
	return m
}

// steps returns the steps for an object: none if no resource selects it.
func (m *manifests) steps(kind string, obj metav1.Object) (steps []step) {
	for _, r := range m.resources {
		if r.about().kind == kind && r.about().selects(obj) {
			steps = append(steps, step{r, r.put(obj)})
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

// change returns a change that puts all objects and removes the others.
func (m *manifests) change(all [][]step) change {
	var changes []change
	for _, r := range m.resources {
		changes = append(changes, r.begin())
		for _, steps := range all {
			for _, s := range steps {
				if s.resource == r {
					changes = append(changes, s.put)
				}
			}
		}
		changes = append(changes, r.end())
	}
	return func(txn *cluster.Txn) {
		for _, c := range changes {
			c(txn)
		}
	}
}
