package kube

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/manifest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/thrift"
)

// manifests is the source that follows manifest files.
type manifests struct {
	resources []resource
	follower  *manifest.Follower[[]step]
	clock     clock.WithTicker
}

// poll is the interval between two looks at the files. A change takes effect after two looks. A
// look takes microseconds for each file. Change notifications differ between mounted ConfigMaps,
// network folders and editors, so we would have to look anyway.
const poll = 250 * time.Millisecond

// step puts an object through a resource.
type step struct {
	resource resource
	put      change
}

func newManifests(cfg Config, resources []resource, opts Options) *manifests {
	m := &manifests{resources: resources, clock: opts.clock}
	var kinds []string
	for _, r := range resources {
		kinds = append(kinds, r.about().kind)
	}
	m.follower = manifest.New(manifest.Options[[]step]{
		Paths:     cfg.manifestPaths(),
		Kinds:     kinds,
		Published: cfg.Published.All(),
		Convert:   m.steps,
		Log:       opts.Log,
		Failed:    opts.ManifestError,
		Begin:     thrift.Begin,
		End:       thrift.End,
		Clock:     opts.clock,
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
	ticker := m.clock.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		all, changed := m.follower.Look(ctx)
		if !changed {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case out <- m.change(all):
		}
	}
}

// change returns a change that puts all objects and removes the others.
func (m *manifests) change(all [][]step) change {
	var changes []change
	for _, r := range m.resources {
		changes = append(changes, r.begin())
		for _, s := range slices.Concat(all...) {
			if s.resource == r {
				changes = append(changes, s.put)
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
